-- +goose Up

-- Erases a person: the key with all that was sealed under it, what finds the person, the profile, and what was written in words about them.
-- What is left counts in figures and leads to no one: ids, dates, states, kinds, and the codes of reasons. It may change histories, which
-- nothing else may.
-- +goose StatementBegin
CREATE FUNCTION erase_returnee(person uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    home uuid;
BEGIN
    PERFORM FROM returnees WHERE id = person AND organisation_id = onward_organisation() AND onward_role() = 'supervisor' AND erased_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE returnee_identities SET identity = '{}', key = NULL, key_id = 0 WHERE returnee_id = person;
    DELETE FROM identity_tokens WHERE returnee_id = person;
    UPDATE returnees SET details = jsonb_build_object('country', country), external_id = NULL, next_expiry = NULL, erased_at = now(), version = version + 1, updated_at = now() WHERE id = person;
    UPDATE referral_requests SET status = 'refused', refusal = 'the person was erased', list = NULL, inputs = NULL, options = '{}', idempotency_key = NULL, body_hash = NULL,
        ready_at = coalesce(ready_at, now()) WHERE returnee_id = person;
    UPDATE referral_steps SET note = '' WHERE note <> '' AND referral_id IN (SELECT id FROM referrals WHERE returnee_id = person);
    UPDATE referrals SET choice_note = '', told = '', question = '', information = '' WHERE returnee_id = person;
    UPDATE check_in_attempts SET note = '' WHERE note <> '' AND check_in_id IN (SELECT id FROM check_ins WHERE returnee_id = person);
    UPDATE check_ins SET answers = NULL WHERE returnee_id = person;
    UPDATE alert_entries SET note = '' WHERE note <> '' AND alert_id IN (SELECT a.id FROM alerts a JOIN referrals r ON r.id = a.referral_id WHERE r.returnee_id = person);
    UPDATE alerts SET outcome = 'erased' WHERE outcome <> '' AND referral_id IN (SELECT id FROM referrals WHERE returnee_id = person);
    DELETE FROM residences WHERE returnee_id = person;
    -- A household of one is none: the other adult stays, and is linked no more.
    SELECT household_id INTO home FROM household_adults WHERE returnee_id = person;
    DELETE FROM household_adults WHERE household_id = home;
    DELETE FROM households WHERE id = home;
    DELETE FROM candidate_pseudonyms WHERE returnee_id = person;
    DELETE FROM only_good_fits WHERE returnee_id = person;
    RETURN true;
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION erase_returnee(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_returnee(uuid) TO onward_app;
