-- +goose Up

-- What tells who a person is, sealed field by field under a key of the person's own (package vault). The key is here too, wrapped by a key
-- that is not in the database; key_id names that one. A row without a key is not sealed yet ('onward migrate' does it), or was erased.
ALTER TABLE returnee_identities ADD COLUMN key bytea, ADD COLUMN key_id bigint NOT NULL DEFAULT 0;
CREATE INDEX returnee_identities_key ON returnee_identities (key_id);

-- Keyed hashes by which people can be found without being known: each word of a name, phone, e-mail, and name with birth date.
CREATE TABLE identity_tokens (
    organisation_id uuid NOT NULL,
    token           bytea NOT NULL,
    returnee_id     uuid NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('name', 'phone', 'email', 'person')),
    PRIMARY KEY (organisation_id, token, returnee_id),
    FOREIGN KEY (organisation_id, returnee_id) REFERENCES returnees (organisation_id, id)
);
CREATE INDEX identity_tokens_returnee ON identity_tokens (returnee_id);
ALTER TABLE identity_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY identity_tokens_all ON identity_tokens FOR ALL TO onward_app
    USING ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation()));
GRANT SELECT, INSERT, DELETE ON identity_tokens TO onward_app;

-- Onward's own keys and what signs webhooks, wrapped as well. key_id 0: not yet.
ALTER TABLE own_keys ADD COLUMN key_id bigint NOT NULL DEFAULT 0;
GRANT UPDATE ON own_keys TO onward_app;
ALTER TABLE webhook_secrets ADD COLUMN wrapped bytea, ADD COLUMN key_id bigint NOT NULL DEFAULT 0, ALTER COLUMN secret DROP NOT NULL,
    ADD CHECK ((wrapped IS NULL) <> (secret IS NULL));

-- The fields that a recipient may see, sealed, with what opens them.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION shared_identity(referral uuid, day text) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT jsonb_build_object('returnee_id', p.id, 'key', encode(i.key, 'base64'), 'language', p.details ->> 'language', 'fields',
                jsonb_strip_nulls(jsonb_build_object('given_name', i.identity -> 'given_name', 'family_name', i.identity -> 'family_name', 'phone', i.identity -> 'phone')))
            FROM referrals r JOIN returnees p ON p.id = r.returnee_id JOIN returnee_identities i ON i.returnee_id = p.id
           WHERE r.id = referral AND r.recipient_id = onward_organisation() AND onward_role() IN ('employer', 'supervisor', 'administrator')
             AND r.status IN ('accepted', 'on_hold', 'in_progress', 'placed') AND r.answered_at IS NOT NULL
             AND EXISTS (SELECT FROM jsonb_array_elements(p.details -> 'consents') c WHERE c ->> 'purpose' = 'sharing' AND c ->> 'given_on' <= day
                 AND c ->> 'withdrawn_on' IS NULL AND (c ->> 'expires_on' IS NULL OR c ->> 'expires_on' >= day)) $$;

CREATE OR REPLACE FUNCTION check_in_contact(check_in uuid, today text) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT jsonb_build_object('returnee_id', r.id, 'key', encode(i.key, 'base64'), 'language', r.details ->> 'language', 'fields',
                jsonb_strip_nulls(jsonb_build_object('given_name', i.identity -> 'given_name', 'family_name', i.identity -> 'family_name',
                    'phone', i.identity -> 'phone', 'alternate_contact', i.identity -> 'alternate_contact')))
            FROM check_ins c JOIN returnees r ON r.id = c.returnee_id JOIN returnee_identities i ON i.returnee_id = r.id
           WHERE c.id = check_in AND (c.status = 'due' OR (c.status = 'planned' AND c.due_on <= today::date + 7))
             AND ((onward_role() = 'partner' AND c.partner_id = onward_organisation())
                  OR (onward_role() IN ('counsellor', 'supervisor') AND c.organisation_id = onward_organisation()))
             AND EXISTS (SELECT FROM jsonb_array_elements(r.details -> 'consents') k WHERE k ->> 'purpose' = 'follow_up' AND k ->> 'given_on' <= today
                 AND k ->> 'withdrawn_on' IS NULL AND (k ->> 'expires_on' IS NULL OR k ->> 'expires_on' >= today)) $$;
-- +goose StatementEnd
