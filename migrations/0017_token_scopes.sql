-- +goose Up

-- What a token is for: empty: all that its user may do. When it was last used, to the hour: one that nobody uses should be revoked.
ALTER TABLE api_tokens ADD COLUMN scopes text[] NOT NULL DEFAULT '{}', ADD COLUMN last_used_at timestamptz;

-- That a token is used is no change of it.
DROP TRIGGER audit ON api_tokens;
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR DELETE ON api_tokens DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id', 'user_id');
CREATE CONSTRAINT TRIGGER audit_update AFTER UPDATE ON api_tokens DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.last_used_at IS NOT DISTINCT FROM NEW.last_used_at) EXECUTE FUNCTION audit_change('organisation_id', 'id', 'user_id');

DROP FUNCTION authenticate(bytea);
CREATE FUNCTION authenticate(hash bytea)
    RETURNS TABLE (token_id uuid, user_id uuid, organisation_id uuid, role text, expires_at timestamptz, revoked_at timestamptz, scopes text[])
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ WITH used AS (UPDATE api_tokens SET last_used_at = now() WHERE secret_hash = hash AND revoked_at IS NULL AND (last_used_at IS NULL OR last_used_at < now() - interval '1 hour'))
          SELECT t.id, u.id, u.organisation_id, u.role, t.expires_at, coalesce(t.revoked_at, o.suspended_at), t.scopes
            FROM api_tokens t JOIN users u ON u.id = t.user_id JOIN organisations o ON o.id = u.organisation_id WHERE t.secret_hash = hash $$;
REVOKE ALL ON FUNCTION authenticate(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION authenticate(bytea) TO onward_app;
