-- +goose Up

-- Whether counsellors of an organisation see their own people alone, or the whole caseload (as they do without a row).
CREATE TABLE caseload_rules (
    organisation_id uuid PRIMARY KEY REFERENCES organisations,
    own_only        boolean NOT NULL
);
ALTER TABLE caseload_rules ENABLE ROW LEVEL SECURITY;
CREATE POLICY caseload_rules_read ON caseload_rules FOR SELECT TO onward_app
    USING ((SELECT onward_role()) = 'system' OR organisation_id = (SELECT onward_organisation()));
CREATE POLICY caseload_rules_set ON caseload_rules FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system' OR ((SELECT onward_role()) IN ('supervisor', 'administrator') AND organisation_id = (SELECT onward_organisation())));
GRANT SELECT, INSERT, UPDATE ON caseload_rules TO onward_app;
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON caseload_rules DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id');

-- How often somebody looked for a person on the caseloads of others, to limit it.
CREATE TABLE caseload_searches (
    organisation_id uuid NOT NULL REFERENCES organisations,
    user_id         uuid NOT NULL REFERENCES users,
    at              timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX caseload_searches_user ON caseload_searches (user_id, at);
ALTER TABLE caseload_searches ENABLE ROW LEVEL SECURITY;
CREATE POLICY caseload_searches_read ON caseload_searches FOR SELECT TO onward_app
    USING ((SELECT onward_role()) = 'system' OR ((SELECT onward_role()) = 'supervisor' AND organisation_id = (SELECT onward_organisation())));
GRANT SELECT ON caseload_searches TO onward_app;

-- +goose StatementBegin
CREATE FUNCTION onward_user() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('onward.user', true), '')::uuid $$;

-- Whether the actor is a counsellor who sees the own people alone.
CREATE FUNCTION sees_own_only() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT onward_role() = 'counsellor' AND EXISTS (SELECT FROM caseload_rules WHERE organisation_id = onward_organisation() AND own_only) $$;

-- Whom the actor may see by access in an emergency, at this moment.
CREATE FUNCTION emergency_people() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT returnee_id FROM emergency_accesses WHERE user_id = onward_user() AND until > clock_timestamp() AND organisation_id = onward_organisation() AND onward_role() = 'counsellor' $$;

-- The same for one person, for functions that look past row-level security.
CREATE FUNCTION may_see(person uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT NOT sees_own_only() OR EXISTS (SELECT FROM returnees WHERE id = person AND counsellor_id = onward_user()) OR person IN (SELECT emergency_people()) $$;

-- Whether a person is one of somebody else's, whom the actor may not see.
CREATE FUNCTION of_a_colleague(person uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT EXISTS (SELECT FROM returnees WHERE id = person AND counsellor_id IS DISTINCT FROM onward_user()) AND person NOT IN (SELECT emergency_people()) $$;

-- Opens access to one person of the own organisation for a counsellor who does not see the person. It says what came of it.
CREATE FUNCTION open_emergency_access(access uuid, person uuid, minutes integer, most integer) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF onward_role() IS DISTINCT FROM 'counsellor' OR minutes NOT BETWEEN 1 AND 240 THEN
        RAISE insufficient_privilege;
    END IF;
    PERFORM FROM users WHERE id = onward_user() AND organisation_id = onward_organisation() FOR UPDATE; -- one at a time, so that the limit holds
    IF NOT EXISTS (SELECT FROM returnees WHERE id = person AND organisation_id = onward_organisation() AND erased_at IS NULL) THEN
        RETURN 'none';
    ELSIF may_see(person) THEN
        RETURN 'seen';
    ELSIF (SELECT count(*) FROM emergency_accesses WHERE user_id = onward_user() AND opened_at > clock_timestamp() - interval '24 hours') >= most THEN
        RETURN 'limit';
    END IF;
    INSERT INTO emergency_accesses (id, organisation_id, returnee_id, user_id, reason, opened_at, until)
        VALUES (access, onward_organisation(), person, onward_user(), '', clock_timestamp(), clock_timestamp() + make_interval(mins => minutes));
    RETURN 'open';
END
$$;

-- Whose caseload somebody is on who has all of some tokens: the id and the counsellor, and nothing else of the person. NULL: looked too often.
CREATE FUNCTION search_caseloads(tokens text[], most integer) RETURNS uuid[]
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF onward_role() IS DISTINCT FROM 'counsellor' OR cardinality(tokens) = 0 THEN
        RAISE insufficient_privilege;
    END IF;
    PERFORM FROM users WHERE id = onward_user() AND organisation_id = onward_organisation() FOR UPDATE;
    DELETE FROM caseload_searches WHERE user_id = onward_user() AND at < clock_timestamp() - interval '30 days';
    IF (SELECT count(*) FROM caseload_searches WHERE user_id = onward_user() AND at > clock_timestamp() - interval '24 hours') >= most THEN
        RETURN NULL;
    END IF;
    INSERT INTO caseload_searches (organisation_id, user_id, at) VALUES (onward_organisation(), onward_user(), clock_timestamp());
    RETURN ARRAY(SELECT t.returnee_id FROM identity_tokens t JOIN returnees r ON r.id = t.returnee_id AND r.erased_at IS NULL
        WHERE t.organisation_id = onward_organisation() AND t.token = ANY(ARRAY(SELECT decode(w, 'hex') FROM unnest(tokens) w))
        GROUP BY 1 HAVING count(*) = cardinality(tokens) ORDER BY 1 LIMIT 10);
END
$$;

-- The counsellors of people of the own organisation, for whoever found them.
CREATE FUNCTION counsellors_of(people uuid[]) RETURNS TABLE (returnee_id uuid, counsellor_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT id, r.counsellor_id FROM returnees r WHERE r.id = ANY(people) AND r.organisation_id = onward_organisation() AND onward_role() IN ('counsellor', 'supervisor') $$;

-- Access in an emergency only ever gets shorter, and only a supervisor reviews it.
CREATE FUNCTION guard_emergency_access() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.until > OLD.until OR (NEW.id, NEW.organisation_id, NEW.returnee_id, NEW.user_id, NEW.opened_at) IS DISTINCT FROM (OLD.id, OLD.organisation_id, OLD.returnee_id, OLD.user_id, OLD.opened_at)
        OR (OLD.reason <> '' AND NEW.reason NOT IN (OLD.reason, ''))
        OR ((NEW.reviewed_at, NEW.reviewed_by, NEW.justified, NEW.note) IS DISTINCT FROM (OLD.reviewed_at, OLD.reviewed_by, OLD.justified, OLD.note) AND onward_role() = 'counsellor') THEN
        RAISE insufficient_privilege;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard BEFORE UPDATE ON emergency_accesses FOR EACH ROW EXECUTE FUNCTION guard_emergency_access();

-- As before, and entries of a counsellor about somebody whom an emergency opened name the access.
CREATE OR REPLACE FUNCTION audit_add(organisation uuid, what jsonb, about uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    head audit_heads;
    line text;
    emergency uuid;
BEGIN
    IF onward_role() = 'counsellor' THEN
        SELECT e.id INTO emergency FROM emergency_accesses e WHERE e.user_id = onward_user() AND e.until > now() AND e.returnee_id = ANY(about) LIMIT 1;
    END IF;
    SELECT * INTO head FROM audit_heads WHERE organisation_id = organisation FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO audit_heads VALUES (organisation, 0, '') ON CONFLICT DO NOTHING;
        SELECT * INTO head FROM audit_heads WHERE organisation_id = organisation FOR UPDATE;
    END IF;
    line := jsonb_strip_nulls(what || jsonb_build_object('ids', to_jsonb(about), 'at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'role', coalesce(nullif(onward_role(), ''), session_user::text), 'user', nullif(current_setting('onward.user', true), ''), 'of', onward_organisation(),
        'token', nullif(current_setting('onward.token', true), ''), 'request', nullif(current_setting('onward.request', true), ''),
        'from', nullif(current_setting('onward.from', true), ''), 'why', nullif(current_setting('onward.why', true), ''), 'emergency', emergency))::text;
    head.seq := head.seq + 1;
    head.hash := sha256(head.hash || int8send(head.seq) || convert_to(line, 'UTF8'));
    INSERT INTO audit (organisation_id, seq, entry, hash, ids) VALUES (organisation, head.seq, line, head.hash, about);
    UPDATE audit_heads SET seq = head.seq, hash = head.hash WHERE organisation_id = organisation;
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION sees_own_only(), emergency_people(), may_see(uuid), of_a_colleague(uuid), open_emergency_access(uuid, uuid, integer, integer), search_caseloads(text[], integer), counsellors_of(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sees_own_only(), emergency_people(), may_see(uuid), of_a_colleague(uuid), open_emergency_access(uuid, uuid, integer, integer), search_caseloads(text[], integer), counsellors_of(uuid[]) TO onward_app;

-- Only the functions above open access. Who has it reads and ends it, and supervisors.
DROP POLICY emergency_accesses_all ON emergency_accesses;
REVOKE INSERT ON emergency_accesses FROM onward_app;
CREATE POLICY emergency_accesses_all ON emergency_accesses FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system' OR ((SELECT onward_role()) = 'supervisor' AND organisation_id = (SELECT onward_organisation()))
           OR ((SELECT onward_role()) = 'counsellor' AND organisation_id = (SELECT onward_organisation()) AND user_id = (SELECT onward_user())));

-- A counsellor who sees the own people alone sees nothing of others, in any table that leads to them.
CREATE POLICY own_caseload ON returnees AS RESTRICTIVE FOR ALL TO onward_app
    USING ((SELECT NOT sees_own_only()) OR counsellor_id = (SELECT onward_user()) OR id IN (SELECT emergency_people()));
-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['returnee_identities', 'referral_requests', 'residences', 'household_adults', 'unlocks', 'referrals', 'placements', 'check_ins', 'consent_records',
            'withdrawals', 'returnee_changes', 'retention_extensions', 'erasure_requests'] LOOP
        EXECUTE format('CREATE POLICY own_caseload ON %I AS RESTRICTIVE FOR ALL TO onward_app USING ((SELECT NOT sees_own_only()) OR returnee_id IN (SELECT id FROM returnees))', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['answer_links', 'alerts'] LOOP
        EXECUTE format('CREATE POLICY own_caseload ON %I AS RESTRICTIVE FOR ALL TO onward_app USING ((SELECT NOT sees_own_only()) OR referral_id IN (SELECT id FROM referrals))', name);
    END LOOP;
END
$$;
-- +goose StatementEnd
-- A case number is written in the statement that writes its person, who is nobody's until then.
CREATE POLICY own_caseload ON identity_tokens AS RESTRICTIVE FOR ALL TO onward_app USING ((SELECT NOT sees_own_only()) OR NOT of_a_colleague(returnee_id));
-- Histories are written with what they are of, and never changed.
CREATE POLICY own_caseload ON referral_steps AS RESTRICTIVE FOR SELECT TO onward_app USING ((SELECT NOT sees_own_only()) OR referral_id IN (SELECT id FROM referrals));
CREATE POLICY own_caseload ON referral_decisions AS RESTRICTIVE FOR SELECT TO onward_app USING ((SELECT NOT sees_own_only()) OR returnee_id IN (SELECT id FROM returnees));
CREATE POLICY own_caseload ON parity_attributes AS RESTRICTIVE FOR SELECT TO onward_app USING ((SELECT NOT sees_own_only()) OR returnee_id IN (SELECT id FROM returnees));
CREATE POLICY own_caseload ON alert_entries AS RESTRICTIVE FOR SELECT TO onward_app USING ((SELECT NOT sees_own_only()) OR alert_id IN (SELECT id FROM alerts));
CREATE POLICY own_caseload ON deletion_requests AS RESTRICTIVE FOR ALL TO onward_app USING ((SELECT NOT sees_own_only()) OR withdrawal_id IN (SELECT id FROM withdrawals));
-- A household is written before its adults.
CREATE POLICY own_caseload ON households AS RESTRICTIVE FOR SELECT TO onward_app USING ((SELECT NOT sees_own_only()) OR id IN (SELECT household_id FROM household_adults));

-- As before, for whoever may see the person.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION text_keys(people uuid[]) RETURNS TABLE (returnee_id uuid, key bytea)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT i.returnee_id, i.key FROM returnee_identities i WHERE i.returnee_id = ANY(people) AND i.key IS NOT NULL
             AND (onward_role() IN ('counsellor', 'supervisor') AND i.organisation_id = onward_organisation() AND ((SELECT NOT sees_own_only()) OR may_see(i.returnee_id))
                  OR onward_role() IN ('employer', 'supervisor', 'administrator')
                     AND EXISTS (SELECT FROM referrals r WHERE r.returnee_id = i.returnee_id AND r.recipient_id = onward_organisation() AND r.status <> 'draft')
                  OR onward_role() = 'partner'
                     AND (EXISTS (SELECT FROM placements p WHERE p.returnee_id = i.returnee_id AND p.partner_id = onward_organisation())
                          OR EXISTS (SELECT FROM check_ins c WHERE c.returnee_id = i.returnee_id AND c.partner_id = onward_organisation()))) $$;

CREATE OR REPLACE FUNCTION check_in_contact(check_in uuid, today text) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT jsonb_build_object('returnee_id', r.id, 'key', encode(i.key, 'base64'), 'language', r.details ->> 'language', 'fields',
                jsonb_strip_nulls(jsonb_build_object('given_name', i.identity -> 'given_name', 'family_name', i.identity -> 'family_name',
                    'phone', i.identity -> 'phone', 'alternate_contact', i.identity -> 'alternate_contact')))
            FROM check_ins c JOIN returnees r ON r.id = c.returnee_id JOIN returnee_identities i ON i.returnee_id = r.id
           WHERE c.id = check_in AND (c.status = 'due' OR (c.status = 'planned' AND c.due_on <= today::date + 7))
             AND ((onward_role() = 'partner' AND c.partner_id = onward_organisation())
                  OR (onward_role() IN ('counsellor', 'supervisor') AND c.organisation_id = onward_organisation() AND may_see(r.id)))
             AND EXISTS (SELECT FROM jsonb_array_elements(r.details -> 'consents') k WHERE k ->> 'purpose' = 'follow_up' AND k ->> 'given_on' <= today
                 AND k ->> 'withdrawn_on' IS NULL AND (k ->> 'expires_on' IS NULL OR k ->> 'expires_on' >= today)) $$;
-- +goose StatementEnd
