-- +goose Up

ALTER TABLE users ADD COLUMN version bigint NOT NULL DEFAULT 1, ADD COLUMN suspended_at timestamptz, ADD COLUMN email_verified_at timestamptz;

-- How users prove who they are. Whoever signs in is nobody yet: the system reads these on their behalf, and no role does.
CREATE TABLE credentials (
    user_id         uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    password_hash   text, -- argon2id, with salt and parameters
    password_set_at timestamptz,
    signed_in_at    timestamptz,
    FOREIGN KEY (organisation_id, user_id) REFERENCES users (organisation_id, id)
);

-- The secrets that codes of six digits are made of, sealed. One that is not confirmed yet may stand beside the one that counts.
CREATE TABLE second_factors (
    id              uuid PRIMARY KEY,
    user_id         uuid NOT NULL,
    organisation_id uuid NOT NULL,
    secret          bytea NOT NULL,
    key_id          bigint NOT NULL,
    created_at      timestamptz NOT NULL,
    confirmed_at    timestamptz,
    step            bigint NOT NULL DEFAULT 0, -- of the last code that was taken: none is taken twice
    FOREIGN KEY (organisation_id, user_id) REFERENCES users (organisation_id, id)
);
CREATE UNIQUE INDEX second_factors_user ON second_factors (user_id) WHERE confirmed_at IS NOT NULL;
CREATE UNIQUE INDEX second_factors_pending ON second_factors (user_id) WHERE confirmed_at IS NULL;

-- Each opens once. They have 120 random bits, so a slow hash would add nothing.
CREATE TABLE recovery_codes (
    user_id         uuid NOT NULL,
    hash            bytea NOT NULL,
    organisation_id uuid NOT NULL,
    used_at         timestamptz,
    PRIMARY KEY (user_id, hash),
    FOREIGN KEY (organisation_id, user_id) REFERENCES users (organisation_id, id)
);

-- Who is signed in. Of the token there is the hash alone; a new token is a new row. What has ended stays for a while, so that no late
-- request brings it back.
CREATE TABLE sessions (
    token_hash      text PRIMARY KEY,
    id              uuid NOT NULL UNIQUE,
    user_id         uuid NOT NULL,
    organisation_id uuid NOT NULL,
    stage           text NOT NULL CHECK (stage IN ('second_factor', 'set_up', 'complete')),
    method          text NOT NULL,
    address         text NOT NULL,
    agent           text NOT NULL,
    created_at      timestamptz NOT NULL,
    confirmed_at    timestamptz NOT NULL,
    seen_at         timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL,
    ended_at        timestamptz,
    FOREIGN KEY (organisation_id, user_id) REFERENCES users (organisation_id, id)
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

ALTER TABLE credentials ENABLE ROW LEVEL SECURITY;
ALTER TABLE second_factors ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
CREATE POLICY credentials_all ON credentials FOR ALL TO onward_app USING ((SELECT onward_role()) = 'system');
CREATE POLICY second_factors_all ON second_factors FOR ALL TO onward_app USING ((SELECT onward_role()) = 'system');
CREATE POLICY recovery_codes_all ON recovery_codes FOR ALL TO onward_app USING ((SELECT onward_role()) = 'system');
CREATE POLICY sessions_all ON sessions FOR ALL TO onward_app USING ((SELECT onward_role()) = 'system');
GRANT SELECT, INSERT, UPDATE ON credentials TO onward_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON second_factors, recovery_codes, sessions TO onward_app;

CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR DELETE ON credentials DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'user_id');
CREATE CONSTRAINT TRIGGER audit_update AFTER UPDATE ON credentials DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.password_hash IS DISTINCT FROM NEW.password_hash) EXECUTE FUNCTION audit_change('organisation_id', 'user_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR DELETE ON second_factors DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'user_id');
CREATE CONSTRAINT TRIGGER audit_update AFTER UPDATE ON second_factors DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.confirmed_at IS DISTINCT FROM NEW.confirmed_at) EXECUTE FUNCTION audit_change('organisation_id', 'user_id');
CREATE CONSTRAINT TRIGGER audit_update AFTER UPDATE ON recovery_codes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'user_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT ON sessions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id', 'user_id');
CREATE CONSTRAINT TRIGGER audit_update AFTER UPDATE ON sessions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.ended_at IS DISTINCT FROM NEW.ended_at) EXECUTE FUNCTION audit_change('organisation_id', 'id', 'user_id');

-- The tokens of a suspended user are dead too.
CREATE OR REPLACE FUNCTION authenticate(hash bytea)
    RETURNS TABLE (token_id uuid, user_id uuid, organisation_id uuid, role text, expires_at timestamptz, revoked_at timestamptz, scopes text[])
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ WITH used AS (UPDATE api_tokens SET last_used_at = now() WHERE secret_hash = hash AND revoked_at IS NULL AND (last_used_at IS NULL OR last_used_at < now() - interval '1 hour'))
          SELECT t.id, u.id, u.organisation_id, u.role, t.expires_at, coalesce(t.revoked_at, u.suspended_at, o.suspended_at), t.scopes
            FROM api_tokens t JOIN users u ON u.id = t.user_id JOIN organisations o ON o.id = u.organisation_id WHERE t.secret_hash = hash $$;

-- What a password is compared with, for who has one and may sign in.
CREATE FUNCTION sign_in_of(address text) RETURNS TABLE (user_id uuid, password_hash text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT u.id, c.password_hash FROM users u JOIN credentials c ON c.user_id = u.id JOIN organisations o ON o.id = u.organisation_id
           WHERE lower(u.email) = lower(address) AND c.password_hash IS NOT NULL AND u.suspended_at IS NULL AND o.suspended_at IS NULL $$;

-- Who is behind the token of a session that has not ended, with the role that they have now.
CREATE FUNCTION session_of(hash text, at timestamptz)
    RETURNS TABLE (id uuid, user_id uuid, organisation_id uuid, role text, stage text, method text, address text, agent text, created_at timestamptz, confirmed_at timestamptz,
                   seen_at timestamptz, expires_at timestamptz, ends_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT s.id, s.user_id, s.organisation_id, u.role, s.stage, s.method, s.address, s.agent, s.created_at, s.confirmed_at, s.seen_at, s.expires_at, s.ends_at
            FROM sessions s JOIN users u ON u.id = s.user_id JOIN organisations o ON o.id = u.organisation_id
           WHERE s.token_hash = hash AND s.ended_at IS NULL AND s.expires_at > at AND s.ends_at > at AND u.suspended_at IS NULL AND o.suspended_at IS NULL $$;

-- A session was used: it lasts longer, never beyond its end. NULL: there is none of this token; false: it has ended.
CREATE FUNCTION session_seen(hash text, at timestamptz, until timestamptz) RETURNS boolean
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ WITH seen AS (UPDATE sessions SET seen_at = at, expires_at = least(until, ends_at) WHERE token_hash = hash AND ended_at IS NULL AND expires_at > at AND ends_at > at RETURNING 1)
          SELECT CASE WHEN EXISTS (SELECT FROM seen) THEN true WHEN EXISTS (SELECT FROM sessions WHERE token_hash = hash) THEN false END $$;
REVOKE ALL ON FUNCTION sign_in_of(text), session_of(text, timestamptz), session_seen(text, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sign_in_of(text), session_of(text, timestamptz), session_seen(text, timestamptz, timestamptz) TO onward_app;
