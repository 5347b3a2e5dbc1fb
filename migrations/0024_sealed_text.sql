-- +goose Up

-- Words that somebody wrote about a person, sealed under the person's key (store/text.go) and kept as text: 'sealed:' and base64. A new column
-- of such words gets CHECK (is_sealed(it)), named <table>_sealed. The checks hold for what is written from now on; what is there already is
-- sealed by 'onward migrate', which then validates them.
CREATE FUNCTION is_sealed(words text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT words = '' OR words LIKE 'sealed:%' $$;

ALTER TABLE referrals ADD CONSTRAINT referrals_sealed CHECK (is_sealed(choice_note) AND is_sealed(told) AND is_sealed(question) AND is_sealed(information)) NOT VALID;
ALTER TABLE referral_steps ADD CONSTRAINT referral_steps_sealed CHECK (is_sealed(note)) NOT VALID;
ALTER TABLE check_in_attempts ADD CONSTRAINT check_in_attempts_sealed CHECK (is_sealed(note)) NOT VALID;
ALTER TABLE alert_entries ADD CONSTRAINT alert_entries_sealed CHECK (is_sealed(note)) NOT VALID;
-- All answers, and not those in words alone: figures count the scores.
ALTER TABLE check_ins ADD CONSTRAINT check_ins_sealed CHECK (is_sealed(answers #>> '{}')) NOT VALID;
-- Requests that were made before have the case number, and why the likely destination was overridden, in what was saved with their lists.
ALTER TABLE referral_requests ADD COLUMN plain boolean NOT NULL DEFAULT true;
ALTER TABLE referral_requests ALTER COLUMN plain SET DEFAULT false;
ALTER TABLE referral_requests ADD CONSTRAINT referral_requests_sealed CHECK (is_sealed(options ->> 'destination_reason') AND NOT plain) NOT VALID;

-- The case number is sealed with what identifies a person, and found by a token of its own: one person of an organisation has it.
ALTER TABLE identity_tokens DROP CONSTRAINT identity_tokens_kind_check, ADD CHECK (kind IN ('name', 'phone', 'email', 'person', 'case'));
CREATE UNIQUE INDEX identity_tokens_case ON identity_tokens (organisation_id, token) WHERE kind = 'case';
ALTER TABLE returnees DROP CONSTRAINT returnees_organisation_id_external_id_key;
ALTER TABLE returnees ADD CONSTRAINT returnees_sealed CHECK (external_id IS NULL AND NOT details ? 'external_id') NOT VALID;

-- The wrapped keys of people about whom the actor reads and writes words: those of the own caseload, those who were referred to the own
-- openings, those whom the own organisation monitors. Their identities stay out of reach.
-- +goose StatementBegin
CREATE FUNCTION text_keys(people uuid[]) RETURNS TABLE (returnee_id uuid, key bytea)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT i.returnee_id, i.key FROM returnee_identities i WHERE i.returnee_id = ANY(people) AND i.key IS NOT NULL
             AND (onward_role() IN ('counsellor', 'supervisor') AND i.organisation_id = onward_organisation()
                  OR onward_role() IN ('employer', 'supervisor', 'administrator')
                     AND EXISTS (SELECT FROM referrals r WHERE r.returnee_id = i.returnee_id AND r.recipient_id = onward_organisation() AND r.status <> 'draft')
                  OR onward_role() = 'partner'
                     AND (EXISTS (SELECT FROM placements p WHERE p.returnee_id = i.returnee_id AND p.partner_id = onward_organisation())
                          OR EXISTS (SELECT FROM check_ins c WHERE c.returnee_id = i.returnee_id AND c.partner_id = onward_organisation()))) $$;

-- The same for who holds a link to answer a referral: it stands for the recipient, and nobody is signed in.
CREATE FUNCTION linked_text_key(link uuid, now timestamptz) RETURNS TABLE (returnee_id uuid, key bytea)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT i.returnee_id, i.key FROM answer_links l JOIN referrals r ON r.id = l.referral_id JOIN returnee_identities i ON i.returnee_id = r.returnee_id
           WHERE l.id = link AND l.expires_at > now AND r.status = 'requested' AND i.key IS NOT NULL AND onward_role() = 'system' $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION text_keys(uuid[]), linked_text_key(uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION text_keys(uuid[]), linked_text_key(uuid, timestamptz) TO onward_app;
