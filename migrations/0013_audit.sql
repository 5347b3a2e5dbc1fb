-- +goose Up

-- Who read what tells who a person is, and who changed what: append-only, one chain for each organisation. An entry is kept as the text
-- that was hashed: hash = sha256(the hash before || seq as 8 bytes || entry). Nobody but the functions below writes here; they take the
-- actor from the transaction and not from what they are told.
CREATE TABLE audit (
    organisation_id uuid NOT NULL,
    seq             bigint NOT NULL,
    entry           text NOT NULL,
    hash            bytea NOT NULL,
    at              timestamptz NOT NULL DEFAULT now(),
    ids             uuid[] NOT NULL, -- whom and what it is about, as in the entry
    PRIMARY KEY (organisation_id, seq)
);
CREATE INDEX audit_ids ON audit USING gin (ids);

-- The end of each chain. The row is locked from an entry to the commit, so that chains have no gaps.
CREATE TABLE audit_heads (
    organisation_id uuid PRIMARY KEY,
    seq             bigint NOT NULL,
    hash            bytea NOT NULL
) WITH (fillfactor = 50);

ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_heads ENABLE ROW LEVEL SECURITY;
CREATE POLICY audit_read ON audit FOR SELECT TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) IN ('supervisor', 'administrator') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY audit_heads_read ON audit_heads FOR SELECT TO onward_app USING ((SELECT onward_role()) = 'system');
GRANT SELECT ON audit, audit_heads TO onward_app;

-- +goose StatementBegin
CREATE FUNCTION audit_add(organisation uuid, what jsonb, about uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    head audit_heads;
    line text;
BEGIN
    SELECT * INTO head FROM audit_heads WHERE organisation_id = organisation FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO audit_heads VALUES (organisation, 0, '') ON CONFLICT DO NOTHING;
        SELECT * INTO head FROM audit_heads WHERE organisation_id = organisation FOR UPDATE;
    END IF;
    line := jsonb_strip_nulls(what || jsonb_build_object('ids', to_jsonb(about), 'at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'role', coalesce(nullif(onward_role(), ''), session_user::text), 'user', nullif(current_setting('onward.user', true), ''), 'of', onward_organisation(),
        'token', nullif(current_setting('onward.token', true), ''), 'request', nullif(current_setting('onward.request', true), ''),
        'from', nullif(current_setting('onward.from', true), ''), 'why', nullif(current_setting('onward.why', true), '')))::text;
    head.seq := head.seq + 1;
    head.hash := sha256(head.hash || int8send(head.seq) || convert_to(line, 'UTF8'));
    INSERT INTO audit (organisation_id, seq, entry, hash, ids) VALUES (organisation, head.seq, line, head.hash, about);
    UPDATE audit_heads SET seq = head.seq, hash = head.hash WHERE organisation_id = organisation;
END
$$;

-- Somebody read what identifies people. It is written in the chain of the organisation that they are with.
CREATE FUNCTION audit_read(what text, people uuid[], fields text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    of record;
BEGIN
    FOR of IN SELECT organisation_id, array_agg(id ORDER BY id) AS people FROM returnees WHERE id = ANY(people) GROUP BY 1 ORDER BY 1 LOOP
        PERFORM audit_add(of.organisation_id, jsonb_build_object('action', 'read', 'resource', what, 'fields', to_jsonb(fields)), of.people);
    END LOOP;
END
$$;

-- A row was written. The arguments are the columns of the organisation ('' for the actor's) and of the ids it is about. What the row held
-- is kept as a hash alone.
CREATE FUNCTION audit_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    after  jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    held   jsonb := coalesce(after, before);
    about  uuid[] := '{}';
    fields jsonb;
BEGIN
    FOR i IN 1 .. TG_NARGS - 1 LOOP
        IF held ->> TG_ARGV[i] IS NOT NULL THEN
            about := about || (held ->> TG_ARGV[i])::uuid;
        END IF;
    END LOOP;
    IF TG_OP = 'UPDATE' THEN
        SELECT jsonb_agg(n.key ORDER BY n.key) INTO fields FROM jsonb_each(after) n WHERE n.value IS DISTINCT FROM before -> n.key;
    END IF;
    PERFORM audit_add(coalesce(CASE WHEN TG_ARGV[0] <> '' THEN (held ->> TG_ARGV[0])::uuid END, onward_organisation(), '00000000-0000-0000-0000-000000000000'),
        jsonb_build_object('action', CASE TG_OP WHEN 'INSERT' THEN 'create' WHEN 'UPDATE' THEN 'change' ELSE 'delete' END, 'resource', TG_TABLE_NAME, 'fields', fields,
            'before', encode(sha256(convert_to(before::text, 'UTF8')), 'hex'), 'after', encode(sha256(convert_to(after::text, 'UTF8')), 'hex')), about);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION audit_add(uuid, jsonb, uuid[]), audit_read(text, uuid[], text[]), audit_change() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_read(text, uuid[], text[]) TO onward_app;

-- At the end of the transaction, when all other locks are held already: the end of a chain is then locked for the commit alone.
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON organisations DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('id', 'id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON api_tokens DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id', 'user_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR DELETE ON opportunities DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id');
-- Places that are held and taken go with the referral.
CREATE CONSTRAINT TRIGGER audit_update AFTER UPDATE ON opportunities DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.details IS DISTINCT FROM NEW.details OR OLD.status <> NEW.status OR OLD.capacity <> NEW.capacity OR OLD.organisation_id <> NEW.organisation_id) EXECUTE FUNCTION audit_change('organisation_id', 'id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON returnees DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON returnee_identities DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'returnee_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR DELETE ON referral_requests DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id', 'returnee_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON referrals DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id', 'returnee_id', 'opportunity_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON placements DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id', 'returnee_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON check_ins DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id', 'returnee_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON residences DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id', 'returnee_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON households DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON household_adults DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'household_id', 'returnee_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON alerts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id', 'referral_id', 'placement_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON vettings DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'subject_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON vetting_checks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('', 'subject_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON close_rules DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON questionnaires DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR DELETE ON webhooks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id');
CREATE CONSTRAINT TRIGGER audit_update AFTER UPDATE ON webhooks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.version <> NEW.version) EXECUTE FUNCTION audit_change('organisation_id', 'id');
