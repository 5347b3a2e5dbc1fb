-- +goose Up

-- When a person was last seen by a check-in: until then, and no longer, a placement is known to have gone on.
ALTER TABLE placements ADD COLUMN last_seen_on date, ADD COLUMN check_ins_planned boolean NOT NULL DEFAULT false;
CREATE INDEX placements_to_plan ON placements (id) WHERE NOT check_ins_planned;

-- A partner records where people live as well.
ALTER TABLE residences DROP CONSTRAINT residences_organisation_id_recorded_by_fkey, ADD FOREIGN KEY (recorded_by) REFERENCES users;
CREATE POLICY residences_partner ON residences FOR INSERT TO onward_app
    WITH CHECK ((SELECT onward_role()) = 'partner' AND EXISTS (SELECT FROM placements p WHERE p.returnee_id = residences.returnee_id
                AND p.organisation_id = residences.organisation_id AND p.partner_id = (SELECT onward_organisation())));

CREATE TABLE check_ins (
    id                    uuid PRIMARY KEY,
    version               bigint NOT NULL DEFAULT 1,
    organisation_id       uuid NOT NULL,
    partner_id            uuid REFERENCES organisations,
    returnee_id           uuid NOT NULL,
    placement_id          uuid NOT NULL,
    purpose               text NOT NULL CHECK (purpose IN ('placement', 'sustainability')),
    day                   integer NOT NULL,
    due_on                date NOT NULL,
    status                text NOT NULL DEFAULT 'planned' CHECK (status IN ('planned', 'due', 'done', 'missed', 'cancelled')),
    cancelled_for         text NOT NULL DEFAULT '',
    attempts              integer NOT NULL DEFAULT 0,
    still_there           text NOT NULL DEFAULT '',
    talked_on             date,
    questionnaire         text NOT NULL DEFAULT '',
    questionnaire_version integer NOT NULL DEFAULT 0,
    answers               jsonb,
    scores                jsonb,
    done_at               timestamptz,
    done_by               uuid,
    UNIQUE (placement_id, purpose, day),
    FOREIGN KEY (organisation_id, placement_id) REFERENCES placements (organisation_id, id)
);
CREATE INDEX check_ins_planned ON check_ins (due_on) WHERE status = 'planned';
CREATE INDEX check_ins_partner ON check_ins (partner_id, due_on, id) WHERE status = 'due';
CREATE INDEX check_ins_organisation ON check_ins (organisation_id, due_on, id) WHERE status = 'due';
CREATE INDEX check_ins_returnee ON check_ins (returnee_id, due_on);

-- Each try to reach a person, never changed.
CREATE TABLE check_in_attempts (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    check_in_id     uuid NOT NULL REFERENCES check_ins,
    organisation_id uuid NOT NULL,
    at              timestamptz NOT NULL,
    channel         text NOT NULL,
    outcome         text NOT NULL,
    alternate       boolean NOT NULL,
    note            text NOT NULL,
    user_id         uuid
);
CREATE INDEX check_in_attempts_check_in ON check_in_attempts (check_in_id, id);

-- Versions of questionnaires that organisations published; the built-in ones are in the program.
CREATE TABLE questionnaires (
    organisation_id uuid NOT NULL REFERENCES organisations,
    code            text NOT NULL,
    version         integer NOT NULL,
    definition      jsonb NOT NULL,
    published_by    uuid,
    published_at    timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, code, version)
);

-- How to reach a person for a check-in: for who is to ask, while it is live and the person agrees to be asked.
-- +goose StatementBegin
CREATE FUNCTION check_in_contact(check_in uuid, today text) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT jsonb_strip_nulls(jsonb_build_object('given_name', i.identity -> 'given_name', 'family_name', i.identity -> 'family_name',
                'phone', i.identity -> 'phone', 'alternate_contact', i.identity -> 'alternate_contact', 'language', r.details -> 'language'))
            FROM check_ins c JOIN returnees r ON r.id = c.returnee_id JOIN returnee_identities i ON i.returnee_id = r.id
           WHERE c.id = check_in AND (c.status = 'due' OR (c.status = 'planned' AND c.due_on <= today::date + 7))
             AND ((onward_role() = 'partner' AND c.partner_id = onward_organisation())
                  OR (onward_role() IN ('counsellor', 'supervisor') AND c.organisation_id = onward_organisation()))
             AND EXISTS (SELECT FROM jsonb_array_elements(r.details -> 'consents') k WHERE k ->> 'purpose' = 'follow_up' AND k ->> 'given_on' <= today
                 AND k ->> 'withdrawn_on' IS NULL AND (k ->> 'expires_on' IS NULL OR k ->> 'expires_on' >= today)) $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION check_in_contact(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION check_in_contact(uuid, text) TO onward_app;

-- The questionnaire that an agency asks: its own latest version. Partners ask for it as well; questions are no secret.
-- +goose StatementBegin
CREATE FUNCTION latest_questionnaire(organisation uuid, wanted text, at_version integer) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT definition FROM questionnaires WHERE organisation_id = organisation AND code = wanted AND (at_version = 0 OR version = at_version)
             AND onward_role() <> '' ORDER BY version DESC LIMIT 1 $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION latest_questionnaire(uuid, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION latest_questionnaire(uuid, text, integer) TO onward_app;

ALTER TABLE check_ins ENABLE ROW LEVEL SECURITY;
ALTER TABLE check_in_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE questionnaires ENABLE ROW LEVEL SECURITY;

CREATE POLICY check_ins_agency ON check_ins FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY check_ins_partner_read ON check_ins FOR SELECT TO onward_app
    USING ((SELECT onward_role()) = 'partner' AND partner_id = (SELECT onward_organisation()));
CREATE POLICY check_ins_partner_write ON check_ins FOR UPDATE TO onward_app
    USING ((SELECT onward_role()) = 'partner' AND partner_id = (SELECT onward_organisation()));
CREATE POLICY check_in_attempts_read ON check_in_attempts FOR SELECT TO onward_app
    USING (check_in_id IN (SELECT id FROM check_ins));
CREATE POLICY check_in_attempts_write ON check_in_attempts FOR INSERT TO onward_app
    WITH CHECK (check_in_id IN (SELECT id FROM check_ins));
CREATE POLICY questionnaires_read ON questionnaires FOR SELECT TO onward_app
    USING ((SELECT onward_role()) = 'system' OR organisation_id = (SELECT onward_organisation()));
CREATE POLICY questionnaires_publish ON questionnaires FOR INSERT TO onward_app
    WITH CHECK ((SELECT onward_role()) = 'system'
                OR ((SELECT onward_role()) IN ('supervisor', 'administrator') AND organisation_id = (SELECT onward_organisation())));

GRANT SELECT, INSERT, UPDATE ON check_ins TO onward_app;
GRANT SELECT, INSERT ON check_in_attempts, questionnaires TO onward_app;
