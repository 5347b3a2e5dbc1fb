-- +goose Up

-- For how long an organisation keeps a kind of record, where it differs from the rule (retention.go).
CREATE TABLE retention_choices (
    organisation_id uuid NOT NULL REFERENCES organisations,
    kind            text NOT NULL,
    days            integer NOT NULL CHECK (days > 0),
    PRIMARY KEY (organisation_id, kind)
);

-- People who are kept longer than the rule says.
CREATE TABLE retention_extensions (
    returnee_id     uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    until           date NOT NULL,
    reason          text NOT NULL,
    by_user         uuid,
    at              timestamptz NOT NULL,
    CONSTRAINT retention_extensions_sealed CHECK (is_sealed(reason)),
    FOREIGN KEY (organisation_id, returnee_id) REFERENCES returnees (organisation_id, id)
);

-- What stops retention and erasure: of a person, or of all records of a kind.
CREATE TABLE legal_holds (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL REFERENCES organisations,
    returnee_id     uuid,
    kind            text,
    reason          text NOT NULL,
    review_on       date NOT NULL,
    placed_by       uuid,
    placed_at       timestamptz NOT NULL,
    released_by     uuid,
    released_at     timestamptz,
    release_reason  text NOT NULL DEFAULT '',
    CHECK ((returnee_id IS NULL) <> (kind IS NULL)),
    FOREIGN KEY (organisation_id, returnee_id) REFERENCES returnees (organisation_id, id)
);
CREATE INDEX legal_holds_live ON legal_holds (organisation_id, returnee_id) WHERE released_at IS NULL;
CREATE INDEX legal_holds_returnee ON legal_holds (returnee_id);

-- Erasures that people asked for under a legal hold: carried out when it ends.
CREATE TABLE erasure_requests (
    returnee_id     uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    asked_by        uuid,
    asked_at        timestamptz NOT NULL,
    done_at         timestamptz,
    FOREIGN KEY (organisation_id, returnee_id) REFERENCES returnees (organisation_id, id)
);
CREATE INDEX erasure_requests_open ON erasure_requests (asked_at) WHERE done_at IS NULL;

-- What was recorded of a person before each change.
CREATE TABLE returnee_changes (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    returnee_id     uuid NOT NULL,
    version         bigint NOT NULL, -- that was replaced
    fields          text[] NOT NULL,
    held            text NOT NULL, -- what the changed fields held, as JSON, sealed
    reason          text NOT NULL,
    by_user         uuid,
    at              timestamptz NOT NULL,
    UNIQUE (returnee_id, version),
    CONSTRAINT returnee_changes_sealed CHECK (is_sealed(held) AND is_sealed(reason)),
    FOREIGN KEY (organisation_id, returnee_id) REFERENCES returnees (organisation_id, id)
);
CREATE INDEX returnee_changes_at ON returnee_changes (organisation_id, at);

-- Access to one person by somebody who is not the person's counsellor, for a short time.
CREATE TABLE emergency_accesses (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    returnee_id     uuid NOT NULL,
    user_id         uuid NOT NULL,
    reason          text NOT NULL,
    opened_at       timestamptz NOT NULL,
    until           timestamptz NOT NULL, -- brought forward when it is ended early
    ended_by        uuid,
    reviewed_by     uuid,
    reviewed_at     timestamptz,
    justified       boolean,
    note            text NOT NULL DEFAULT '',
    reminded_at     timestamptz,
    CHECK ((reviewed_at IS NULL) = (justified IS NULL)),
    CHECK (until <= opened_at + interval '4 hours'),
    CONSTRAINT emergency_accesses_sealed CHECK (is_sealed(reason) AND is_sealed(note)),
    FOREIGN KEY (organisation_id, returnee_id) REFERENCES returnees (organisation_id, id),
    FOREIGN KEY (organisation_id, user_id) REFERENCES users (organisation_id, id)
);
CREATE INDEX emergency_accesses_user ON emergency_accesses (user_id, until);
CREATE INDEX emergency_accesses_returnee ON emergency_accesses (returnee_id, opened_at);
CREATE INDEX emergency_accesses_organisation ON emergency_accesses (organisation_id, id DESC);
CREATE INDEX emergency_accesses_review ON emergency_accesses (opened_at) WHERE reviewed_at IS NULL;

-- When the counsellor was told that the time of a person is over soon.
ALTER TABLE returnees ADD COLUMN retention_told_at timestamptz;
CREATE INDEX returnees_activity ON returnees (organisation_id, updated_at) WHERE erased_at IS NULL;
CREATE INDEX returnees_erased ON returnees (organisation_id, erased_at) WHERE erased_at IS NOT NULL;
CREATE INDEX referral_requests_kept ON referral_requests (organisation_id, created_at) WHERE inputs IS NOT NULL;
CREATE INDEX events_at ON events (organisation_id, at);
CREATE INDEX deliveries_event ON deliveries (event_id);
ALTER TABLE withdrawals DROP CONSTRAINT withdrawals_cause_check, ADD CHECK (cause IN ('withdrawn', 'expired', 'erased', 'retention'));

ALTER TABLE retention_choices ENABLE ROW LEVEL SECURITY;
ALTER TABLE retention_extensions ENABLE ROW LEVEL SECURITY;
ALTER TABLE legal_holds ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasure_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE returnee_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE emergency_accesses ENABLE ROW LEVEL SECURITY;
CREATE POLICY retention_choices_all ON retention_choices FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system' OR ((SELECT onward_role()) IN ('supervisor', 'administrator') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY retention_choices_read ON retention_choices FOR SELECT TO onward_app
    USING ((SELECT onward_role()) = 'counsellor' AND organisation_id = (SELECT onward_organisation()));
CREATE POLICY retention_extensions_all ON retention_extensions FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system' OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY legal_holds_all ON legal_holds FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system' OR ((SELECT onward_role()) IN ('supervisor', 'administrator') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY erasure_requests_all ON erasure_requests FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system' OR ((SELECT onward_role()) = 'supervisor' AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY returnee_changes_all ON returnee_changes FOR ALL TO onward_app
    USING ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation()));
CREATE POLICY emergency_accesses_all ON emergency_accesses FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system' OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation())));
GRANT SELECT, INSERT, UPDATE, DELETE ON retention_choices TO onward_app;
GRANT SELECT, INSERT, UPDATE ON retention_extensions, legal_holds, erasure_requests, emergency_accesses TO onward_app;
GRANT SELECT, INSERT ON returnee_changes TO onward_app;
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON retention_choices DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON retention_extensions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'returnee_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON legal_holds DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id', 'returnee_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON erasure_requests DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'returnee_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON emergency_accesses DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id', 'returnee_id');

-- Whether a legal hold keeps the records of a kind, of a person (NULL: of nobody). A hold of any record of people keeps people.
-- +goose StatementBegin
CREATE FUNCTION on_hold(organisation uuid, person uuid, of_kind text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT EXISTS (SELECT FROM legal_holds h WHERE h.organisation_id = organisation AND h.released_at IS NULL AND (onward_role() = 'system' OR organisation = onward_organisation())
             AND (h.returnee_id = person OR h.kind = of_kind OR (h.kind = 'returnee' AND person IS NOT NULL)
                  OR (of_kind = 'returnee' AND h.kind NOT IN ('delivery', 'event', 'answer_link', 'token')))) $$;

-- Holds are placed one at a time, and never while something goes.
CREATE FUNCTION lock_holds(organisation uuid, alone boolean) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF alone THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('legal holds ' || organisation, 0));
    ELSE
        PERFORM pg_advisory_xact_lock_shared(hashtextextended('legal holds ' || organisation, 0));
    END IF;
END
$$;

-- The records of a kind whose time was over before a moment, those under a legal hold too: of one person or (NULL) of all, at most so many.
-- For workers, and for whoever looks after the people of the own organisation.
CREATE FUNCTION retention_due(of_kind text, organisation uuid, before timestamptz, today date, of_person uuid, at_most integer)
    RETURNS TABLE (id uuid, person uuid, since timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    IF onward_role() IS DISTINCT FROM 'system' AND NOT (coalesce(onward_role(), '') IN ('counsellor', 'supervisor') AND onward_organisation() IS NOT DISTINCT FROM organisation) THEN
        RETURN;
    END IF;
    CASE of_kind
    WHEN 'returnee' THEN RETURN QUERY
        SELECT r.id, r.id, a.last FROM returnees r CROSS JOIN LATERAL (SELECT greatest(r.updated_at,
                (SELECT max(x.updated_at) FROM referrals x WHERE x.returnee_id = r.id), (SELECT max(x.updated_at) FROM placements x WHERE x.returnee_id = r.id),
                (SELECT max(coalesce(x.done_at, x.due_on)) FROM check_ins x WHERE x.returnee_id = r.id), (SELECT max(x.created_at) FROM residences x WHERE x.returnee_id = r.id),
                (SELECT max(x.created_at) FROM referral_requests x WHERE x.returnee_id = r.id)) AS last) a
            LEFT JOIN retention_extensions e ON e.returnee_id = r.id
        WHERE r.organisation_id = organisation AND r.erased_at IS NULL AND r.updated_at < before AND a.last < before AND (e.until IS NULL OR e.until < today)
          AND (of_person IS NULL OR r.id = of_person)
          AND NOT EXISTS (SELECT FROM referrals x WHERE x.returnee_id = r.id AND x.status IN ('requested', 'accepted', 'on_hold', 'in_progress', 'placed'))
          AND NOT EXISTS (SELECT FROM alerts x JOIN referrals y ON y.id = x.referral_id WHERE y.returnee_id = r.id AND x.resolved_at IS NULL)
        ORDER BY r.updated_at LIMIT at_most;
    WHEN 'referral_request' THEN RETURN QUERY
        SELECT q.id, q.returnee_id, q.created_at FROM referral_requests q WHERE q.organisation_id = organisation AND q.created_at < before AND q.inputs IS NOT NULL
          AND (of_person IS NULL OR q.returnee_id = of_person)
          AND NOT EXISTS (SELECT FROM referrals x WHERE x.request_id = q.id AND x.status IN ('draft', 'requested', 'accepted', 'on_hold', 'in_progress', 'placed'))
        ORDER BY q.created_at LIMIT at_most;
    WHEN 'referral' THEN RETURN QUERY
        SELECT r.id, r.returnee_id, r.ended_at FROM referrals r WHERE r.organisation_id = organisation AND r.ended_at < before AND (of_person IS NULL OR r.returnee_id = of_person)
          AND (r.choice_note <> '' OR r.told <> '' OR r.question <> '' OR r.information <> '' OR EXISTS (SELECT FROM referral_steps s WHERE s.referral_id = r.id AND s.note <> ''))
        ORDER BY r.id LIMIT at_most;
    WHEN 'placement' THEN RETURN QUERY
        SELECT p.id, p.returnee_id, p.ended_on::timestamptz FROM placements p WHERE p.organisation_id = organisation AND p.ended_on < before AND (of_person IS NULL OR p.returnee_id = of_person)
          AND (p.wage_minor IS NOT NULL OR p.hours_per_week IS NOT NULL OR p.contract <> '')
        ORDER BY p.id LIMIT at_most;
    WHEN 'check_in' THEN RETURN QUERY
        SELECT c.id, c.returnee_id, coalesce(c.done_at, c.due_on) FROM check_ins c WHERE c.organisation_id = organisation AND coalesce(c.done_at, c.due_on) < before
          AND (of_person IS NULL OR c.returnee_id = of_person) AND c.status IN ('done', 'missed', 'cancelled')
          AND (c.answers IS NOT NULL OR EXISTS (SELECT FROM check_in_attempts t WHERE t.check_in_id = c.id AND t.note <> ''))
        ORDER BY c.id LIMIT at_most;
    WHEN 'alert' THEN RETURN QUERY
        SELECT a.id, r.returnee_id, a.resolved_at FROM alerts a JOIN referrals r ON r.id = a.referral_id WHERE a.organisation_id = organisation AND a.resolved_at < before
          AND (of_person IS NULL OR r.returnee_id = of_person) AND EXISTS (SELECT FROM alert_entries n WHERE n.alert_id = a.id AND n.note <> '')
        ORDER BY a.id LIMIT at_most;
    WHEN 'residence' THEN RETURN QUERY
        SELECT x.id, x.returnee_id, x.observed_on::timestamptz FROM residences x WHERE x.organisation_id = organisation AND x.observed_on < before AND (of_person IS NULL OR x.returnee_id = of_person)
        ORDER BY x.id LIMIT at_most;
    WHEN 'change' THEN RETURN QUERY
        SELECT x.id, x.returnee_id, x.at FROM returnee_changes x WHERE x.organisation_id = organisation AND x.at < before AND (of_person IS NULL OR x.returnee_id = of_person)
        ORDER BY x.at LIMIT at_most;
    WHEN 'consent' THEN RETURN QUERY
        SELECT r.id, r.id, r.erased_at FROM returnees r WHERE r.organisation_id = organisation AND r.erased_at < before AND (of_person IS NULL OR r.id = of_person)
          AND (EXISTS (SELECT FROM consent_records x WHERE x.returnee_id = r.id) OR EXISTS (SELECT FROM withdrawals x WHERE x.returnee_id = r.id))
        ORDER BY r.erased_at LIMIT at_most;
    WHEN 'emergency_access' THEN RETURN QUERY
        SELECT x.id, x.returnee_id, x.until FROM emergency_accesses x WHERE x.organisation_id = organisation AND x.until < before AND (of_person IS NULL OR x.returnee_id = of_person)
        ORDER BY x.id LIMIT at_most;
    WHEN 'delivery' THEN RETURN QUERY
        SELECT d.id, NULL::uuid, d.created_at FROM deliveries d WHERE d.organisation_id = organisation AND d.created_at < before AND d.status <> 'queued' LIMIT at_most;
    WHEN 'event' THEN RETURN QUERY
        SELECT e.id, NULL::uuid, e.at FROM events e WHERE e.organisation_id = organisation AND e.at < before AND NOT EXISTS (SELECT FROM deliveries d WHERE d.event_id = e.id) LIMIT at_most;
    WHEN 'answer_link' THEN RETURN QUERY
        SELECT l.id, NULL::uuid, coalesce(l.used_at, l.expires_at) FROM answer_links l WHERE l.organisation_id = organisation AND coalesce(l.used_at, l.expires_at) < before LIMIT at_most;
    WHEN 'token' THEN RETURN QUERY
        SELECT t.id, NULL::uuid, coalesce(t.revoked_at, t.expires_at) FROM api_tokens t WHERE t.organisation_id = organisation AND coalesce(t.revoked_at, t.expires_at) < before LIMIT at_most;
    ELSE NULL; -- what is always kept
    END CASE;
END
$$;

-- Carries out a rule: on the records of one person, or on at most so many that are nobody's. What a legal hold keeps stays. It says how many
-- there were; again changes nothing. People themselves are erased by erase_returnee.
CREATE FUNCTION retain(of_kind text, organisation uuid, before timestamptz, today date, of_person uuid, at_most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone uuid[];
BEGIN
    IF onward_role() IS DISTINCT FROM 'system' THEN
        RAISE insufficient_privilege;
    END IF;
    PERFORM lock_holds(organisation, false);
    PERFORM FROM returnees WHERE id = of_person FOR UPDATE; -- another worker finds nothing when it comes
    gone := ARRAY(SELECT d.id FROM retention_due(of_kind, organisation, before, today, of_person, at_most) d WHERE d.person IS NOT DISTINCT FROM of_person AND NOT on_hold(organisation, d.person, of_kind));
    IF cardinality(gone) = 0 THEN
        RETURN 0;
    END IF;
    CASE of_kind
    WHEN 'referral_request' THEN
        DELETE FROM unlocks WHERE request_id = ANY(gone);
        DELETE FROM only_good_fits WHERE request_id = ANY(gone);
        UPDATE referral_requests SET status = 'refused', refusal = 'the time for which lists are kept is over', list = NULL, inputs = NULL, options = '{}', idempotency_key = NULL, body_hash = NULL
            WHERE id = ANY(gone);
    WHEN 'referral' THEN
        UPDATE referral_steps SET note = '' WHERE referral_id = ANY(gone) AND note <> '';
        UPDATE referrals SET choice_note = '', told = '', question = '', information = '' WHERE id = ANY(gone);
    WHEN 'placement' THEN
        UPDATE placements SET wage_minor = NULL, currency = '', wage_period = '', hours_per_week = NULL, contract = '' WHERE id = ANY(gone);
    WHEN 'check_in' THEN
        UPDATE check_in_attempts SET note = '' WHERE check_in_id = ANY(gone) AND note <> '';
        UPDATE check_ins SET answers = NULL WHERE id = ANY(gone);
    WHEN 'alert' THEN UPDATE alert_entries SET note = '' WHERE alert_id = ANY(gone) AND note <> '';
    WHEN 'residence' THEN DELETE FROM residences WHERE id = ANY(gone);
    WHEN 'change' THEN DELETE FROM returnee_changes WHERE id = ANY(gone);
    WHEN 'consent' THEN
        DELETE FROM deletion_requests d USING withdrawals w WHERE w.id = d.withdrawal_id AND w.returnee_id = ANY(gone);
        DELETE FROM withdrawals WHERE returnee_id = ANY(gone);
        DELETE FROM consent_records WHERE returnee_id = ANY(gone);
    WHEN 'emergency_access' THEN DELETE FROM emergency_accesses WHERE id = ANY(gone);
    WHEN 'delivery' THEN DELETE FROM deliveries WHERE id = ANY(gone);
    WHEN 'event' THEN DELETE FROM events e WHERE e.id = ANY(gone) AND NOT EXISTS (SELECT FROM deliveries d WHERE d.event_id = e.id);
    WHEN 'answer_link' THEN DELETE FROM answer_links WHERE id = ANY(gone);
    WHEN 'token' THEN DELETE FROM api_tokens WHERE id = ANY(gone);
    END CASE;
    IF of_person IS NOT NULL THEN
        PERFORM audit_add(organisation, jsonb_build_object('action', 'delete', 'resource', 'retention', 'fields', jsonb_build_array(of_kind)), ARRAY[of_person]);
    END IF;
    RETURN cardinality(gone);
END
$$;

-- As before, for workers too, and never under a legal hold. The words about placements, changes and emergencies go as well.
CREATE OR REPLACE FUNCTION erase_returnee(person uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    home uuid;
    agency uuid;
BEGIN
    SELECT organisation_id INTO agency FROM returnees WHERE id = person AND erased_at IS NULL
        AND (onward_role() = 'system' OR (onward_role() = 'supervisor' AND organisation_id = onward_organisation())) FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM lock_holds(agency, false);
    IF on_hold(agency, person, 'returnee') THEN
        RETURN false;
    END IF;
    UPDATE returnee_identities SET identity = '{}', key = NULL, key_id = 0 WHERE returnee_id = person;
    DELETE FROM identity_tokens WHERE returnee_id = person;
    UPDATE returnees SET details = jsonb_build_object('country', country), external_id = NULL, next_expiry = NULL, erased_at = now(), version = version + 1, updated_at = now() WHERE id = person;
    DELETE FROM returnee_changes WHERE returnee_id = person;
    DELETE FROM unlocks WHERE returnee_id = person;
    UPDATE referral_requests SET status = 'refused', refusal = 'the person was erased', list = NULL, inputs = NULL, options = '{}', idempotency_key = NULL, body_hash = NULL,
        ready_at = coalesce(ready_at, now()) WHERE returnee_id = person;
    UPDATE referral_steps SET note = '' WHERE note <> '' AND referral_id IN (SELECT id FROM referrals WHERE returnee_id = person);
    UPDATE referrals SET choice_note = '', told = '', question = '', information = '' WHERE returnee_id = person;
    UPDATE placements SET wage_minor = NULL, currency = '', wage_period = '', hours_per_week = NULL, contract = '' WHERE returnee_id = person;
    UPDATE check_in_attempts SET note = '' WHERE note <> '' AND check_in_id IN (SELECT id FROM check_ins WHERE returnee_id = person);
    UPDATE check_ins SET answers = NULL WHERE returnee_id = person;
    UPDATE alert_entries SET note = '' WHERE note <> '' AND alert_id IN (SELECT a.id FROM alerts a JOIN referrals r ON r.id = a.referral_id WHERE r.returnee_id = person);
    UPDATE alerts SET outcome = 'erased' WHERE outcome <> '' AND referral_id IN (SELECT id FROM referrals WHERE returnee_id = person);
    UPDATE emergency_accesses SET reason = '', note = '' WHERE returnee_id = person;
    UPDATE retention_extensions SET reason = '' WHERE returnee_id = person;
    UPDATE legal_holds SET reason = '', release_reason = '' WHERE returnee_id = person;
    UPDATE erasure_requests SET done_at = now() WHERE returnee_id = person AND done_at IS NULL;
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
REVOKE ALL ON FUNCTION on_hold(uuid, uuid, text), lock_holds(uuid, boolean), retention_due(text, uuid, timestamptz, date, uuid, integer), retain(text, uuid, timestamptz, date, uuid, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION on_hold(uuid, uuid, text), lock_holds(uuid, boolean), retention_due(text, uuid, timestamptz, date, uuid, integer), retain(text, uuid, timestamptz, date, uuid, integer) TO onward_app;
