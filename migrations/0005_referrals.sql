-- +goose Up

-- An organisation that is suspended posts nothing and is sent no one until the suspension is lifted.
ALTER TABLE organisations ADD COLUMN suspended_at timestamptz, ADD COLUMN suspension text NOT NULL DEFAULT '';

CREATE OR REPLACE FUNCTION authenticate(hash bytea)
    RETURNS TABLE (token_id uuid, user_id uuid, organisation_id uuid, role text, expires_at timestamptz, revoked_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT t.id, u.id, u.organisation_id, u.role, t.expires_at, coalesce(t.revoked_at, o.suspended_at)
            FROM api_tokens t JOIN users u ON u.id = t.user_id JOIN organisations o ON o.id = u.organisation_id WHERE t.secret_hash = hash $$;

-- Referrals: a person, an opportunity, and what became of it.
CREATE TABLE referrals (
    id              uuid PRIMARY KEY,
    version         bigint NOT NULL DEFAULT 1,
    organisation_id uuid NOT NULL REFERENCES organisations,
    recipient_id    uuid NOT NULL REFERENCES organisations,
    returnee_id     uuid NOT NULL,
    opportunity_id  uuid NOT NULL REFERENCES opportunities,
    kind            text NOT NULL,
    place_id        bigint REFERENCES places,
    pseudonym       uuid NOT NULL,
    request_id      uuid REFERENCES referral_requests,
    -- As the list had it: the rank, and the parts of the score beside those of the first of the list.
    rank            integer NOT NULL DEFAULT 0,
    chosen          jsonb,
    choice_reason   text NOT NULL DEFAULT '',
    choice_note     text NOT NULL DEFAULT '',
    urgency         text NOT NULL CHECK (urgency IN ('urgent', 'soon', 'normal')),
    status          text NOT NULL CHECK (status IN ('draft', 'requested', 'accepted', 'on_hold', 'in_progress', 'placed',
                        'completed', 'declined', 'failed', 'withdrawn', 'revoked', 'expired')),
    held_from       text NOT NULL DEFAULT '',
    reason          text NOT NULL DEFAULT '',
    ended_from      text NOT NULL DEFAULT '',
    told            text NOT NULL DEFAULT '',
    question        text NOT NULL DEFAULT '',
    information     text NOT NULL DEFAULT '',
    hold_until      timestamptz, -- a place is held while this is set
    reply_due_at    timestamptz,
    remind_at       timestamptz, -- the next reminder; empty when none is to come
    overdue_at      timestamptz, -- when the answer was found to be late
    waiting_from    timestamptz,
    created_by      uuid NOT NULL REFERENCES users,
    created_at      timestamptz NOT NULL,
    sent_at         timestamptz,
    answered_at     timestamptz,
    placed_at       timestamptz,
    ended_at        timestamptz,
    updated_at      timestamptz NOT NULL,
    FOREIGN KEY (organisation_id, returnee_id) REFERENCES returnees (organisation_id, id),
    UNIQUE (organisation_id, id)
);
-- At most one live referral for a person and an opportunity.
CREATE UNIQUE INDEX referrals_live ON referrals (returnee_id, opportunity_id)
    WHERE status IN ('draft', 'requested', 'accepted', 'on_hold', 'in_progress', 'placed');
CREATE INDEX referrals_organisation ON referrals (organisation_id, id DESC);
CREATE INDEX referrals_recipient ON referrals (recipient_id, id DESC) WHERE status <> 'draft';
CREATE INDEX referrals_returnee ON referrals (returnee_id, id DESC);
CREATE INDEX referrals_opportunity ON referrals (opportunity_id, id)
    WHERE status IN ('draft', 'requested', 'accepted', 'on_hold', 'in_progress', 'placed');
CREATE INDEX referrals_waiting ON referrals (opportunity_id, waiting_from, id) WHERE waiting_from IS NOT NULL;
CREATE INDEX referrals_holds ON referrals (hold_until) WHERE hold_until IS NOT NULL;
CREATE INDEX referrals_remind ON referrals (remind_at) WHERE remind_at IS NOT NULL;
CREATE INDEX referrals_reply_due ON referrals (reply_due_at) WHERE status = 'requested' AND overdue_at IS NULL;

-- Each step of a referral, never changed.
CREATE TABLE referral_steps (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    referral_id     uuid NOT NULL REFERENCES referrals,
    organisation_id uuid NOT NULL,
    at              timestamptz NOT NULL,
    event           text NOT NULL,
    from_status     text NOT NULL DEFAULT '',
    to_status       text NOT NULL,
    party           text NOT NULL,
    user_id         uuid,
    reason          text NOT NULL DEFAULT '',
    note            text NOT NULL DEFAULT ''
);
CREATE INDEX referral_steps_referral ON referral_steps (referral_id, id);

-- The links by which a recipient answers without a login. A link is used up by one answer.
CREATE TABLE answer_links (
    id              uuid PRIMARY KEY,
    referral_id     uuid NOT NULL REFERENCES referrals,
    organisation_id uuid NOT NULL,
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz,
    created_at      timestamptz NOT NULL
);
CREATE INDEX answer_links_referral ON answer_links (referral_id);

-- Keys that Onward makes for itself, such as the one that signs links. Only the system reads them.
CREATE TABLE own_keys (
    name       text PRIMARY KEY,
    secret     bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- What an agency wants to become of its referrals when an opportunity closes, where it differs from the defaults.
CREATE TABLE close_rules (
    organisation_id uuid NOT NULL REFERENCES organisations,
    close_reason    text NOT NULL,
    status          text NOT NULL,
    event           text NOT NULL,
    reason          text NOT NULL,
    PRIMARY KEY (organisation_id, close_reason, status)
);

-- Openings that were silent too often, until their organisation says that they still stand.
CREATE TABLE reconfirmations (
    opportunity_id  uuid PRIMARY KEY REFERENCES opportunities,
    organisation_id uuid NOT NULL,
    asked_at        timestamptz NOT NULL,
    due_at          timestamptz NOT NULL,
    confirmed_at    timestamptz
);
CREATE INDEX reconfirmations_due ON reconfirmations (due_at) WHERE confirmed_at IS NULL;

-- For whom one opportunity is the only good fit of their latest list.
CREATE TABLE only_good_fits (
    returnee_id     uuid PRIMARY KEY REFERENCES returnees,
    organisation_id uuid NOT NULL,
    request_id      uuid NOT NULL REFERENCES referral_requests,
    opportunity_id  uuid NOT NULL
);
CREATE INDEX only_good_fits_opportunity ON only_good_fits (opportunity_id);

-- People who started. A placement is told by two sides; what one of them never said stays empty.
CREATE TABLE placements (
    id                  uuid PRIMARY KEY,
    version             bigint NOT NULL DEFAULT 1,
    referral_id         uuid NOT NULL UNIQUE,
    organisation_id     uuid NOT NULL,
    returnee_id         uuid NOT NULL,
    opportunity_id      uuid NOT NULL REFERENCES opportunities,
    recipient_id        uuid NOT NULL REFERENCES organisations,
    partner_id          uuid REFERENCES organisations,
    pseudonym           uuid NOT NULL,
    kind                text NOT NULL,
    started_on          date NOT NULL,
    wage_minor          bigint,
    currency            text NOT NULL DEFAULT '',
    wage_period         text NOT NULL DEFAULT '',
    hours_per_week      double precision,
    contract            text NOT NULL DEFAULT '',
    contract_ends       date,
    place_id            bigint REFERENCES places,
    abroad              boolean NOT NULL DEFAULT false,
    organisation_source text,
    organisation_said   timestamptz,
    returnee_source     text,
    returnee_said       timestamptz,
    ended_on            date,
    end_reason          text NOT NULL DEFAULT '',
    end_source          text NOT NULL DEFAULT '',
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    CHECK ((ended_on IS NULL) = (end_reason = '')),
    CHECK (ended_on >= started_on),
    FOREIGN KEY (organisation_id, referral_id) REFERENCES referrals (organisation_id, id),
    FOREIGN KEY (organisation_id, returnee_id) REFERENCES returnees (organisation_id, id),
    UNIQUE (organisation_id, id)
);
CREATE INDEX placements_organisation ON placements (organisation_id, id DESC);
CREATE INDEX placements_recipient ON placements (recipient_id, id DESC);
CREATE INDEX placements_partner ON placements (partner_id, id DESC);
CREATE INDEX placements_returnee ON placements (returnee_id, id DESC);

-- What happened, told to one organisation each: the source of webhooks and notices.
CREATE TABLE events (
    id              uuid PRIMARY KEY,
    kind            text NOT NULL,
    organisation_id uuid NOT NULL REFERENCES organisations,
    user_id         uuid,
    role            text NOT NULL DEFAULT '',
    subject_id      uuid NOT NULL,
    status          text NOT NULL DEFAULT '',
    reason          text NOT NULL DEFAULT '',
    at              timestamptz NOT NULL
);
CREATE INDEX events_organisation ON events (organisation_id, id DESC);

-- An id that sorts by time, for rows that SQL makes (UUID version 7, RFC 9562).
-- +goose StatementBegin
CREATE FUNCTION new_id() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
    AS $$ SELECT encode(overlay(overlay(uuid_send(gen_random_uuid()) PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6)
              PLACING set_byte(substring(uuid_send(gen_random_uuid()) FROM 7 FOR 1), 0, 112 + (random() * 15)::integer) FROM 7 FOR 1), 'hex')::uuid $$;
-- +goose StatementEnd

-- A place is taken or given back by one statement that holds for everyone: counsellors may not change openings. NULL when
-- there is no such place: none is left, or it must be open and is not. The opening gets a new version.
-- +goose StatementBegin
CREATE FUNCTION change_places(opportunity uuid, more_held integer, more_placed integer, must_be_open boolean) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ UPDATE opportunities SET held = held + more_held, placed = placed + more_placed, version = version + 1, changed_in = pg_current_xact_id()
           WHERE id = opportunity AND onward_role() <> '' AND held + more_held >= 0 AND placed + more_placed >= 0
             AND (more_held + more_placed <= 0 OR held + placed + more_held + more_placed <= capacity)
             AND (NOT must_be_open OR status = 'open') RETURNING version $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION change_places(uuid, integer, integer, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION change_places(uuid, integer, integer, boolean) TO onward_app;

-- Whether someone else waits for a place of an opportunity, whoever refers them.
-- +goose StatementBegin
CREATE FUNCTION others_wait(opportunity uuid, but uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT onward_role() <> '' AND EXISTS (SELECT FROM referrals r WHERE r.opportunity_id = opportunity AND r.waiting_from IS NOT NULL
             AND r.hold_until IS NULL AND r.id IS DISTINCT FROM but) $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION others_wait(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION others_wait(uuid, uuid) TO onward_app;

-- How many wait for a place of the same opportunity before a referral, whoever refers them.
-- +goose StatementBegin
CREATE FUNCTION waiting_ahead(referral uuid) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT count(*) FROM referrals me JOIN referrals r ON r.opportunity_id = me.opportunity_id AND r.waiting_from IS NOT NULL AND r.hold_until IS NULL
             AND (r.waiting_from, r.id) < (me.waiting_from, me.id)
           WHERE me.id = referral AND me.waiting_from IS NOT NULL AND onward_role() <> '' $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION waiting_ahead(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION waiting_ahead(uuid) TO onward_app;

-- One more referral that was answered, in time (1) or not (0).
-- +goose StatementBegin
CREATE FUNCTION count_reply(organisation uuid, in_time integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ INSERT INTO organisation_replies AS r (organisation_id, due, answered) SELECT organisation, 1, in_time WHERE onward_role() <> '' AND in_time IN (0, 1)
          ON CONFLICT (organisation_id) DO UPDATE SET due = r.due + 1, answered = r.answered + excluded.answered $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION count_reply(uuid, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION count_reply(uuid, integer) TO onward_app;

-- By what name the recipient of a referral knows the person: the one of the list of candidates, if there is one.
-- +goose StatementBegin
CREATE FUNCTION candidate_pseudonym(opportunity uuid, returnee uuid) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ INSERT INTO candidate_pseudonyms AS c (opportunity_id, returnee_id)
          SELECT opportunity, r.id FROM returnees r WHERE r.id = returnee AND r.organisation_id = onward_organisation()
             AND onward_role() IN ('counsellor', 'supervisor')
          ON CONFLICT (opportunity_id, returnee_id) DO UPDATE SET pseudonym = c.pseudonym RETURNING pseudonym $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION candidate_pseudonym(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION candidate_pseudonym(uuid, uuid) TO onward_app;

-- Name and phone of a person, for the organisation that said yes to them, while they agree to be shown.
-- +goose StatementBegin
CREATE FUNCTION shared_identity(referral uuid, day text) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT jsonb_strip_nulls(jsonb_build_object('given_name', i.identity -> 'given_name', 'family_name', i.identity -> 'family_name',
                'phone', i.identity -> 'phone', 'language', p.details -> 'language'))
            FROM referrals r JOIN returnees p ON p.id = r.returnee_id JOIN returnee_identities i ON i.returnee_id = p.id
           WHERE r.id = referral AND r.recipient_id = onward_organisation() AND onward_role() IN ('employer', 'supervisor', 'administrator')
             AND r.status IN ('accepted', 'on_hold', 'in_progress', 'placed') AND r.answered_at IS NOT NULL
             AND EXISTS (SELECT FROM jsonb_array_elements(p.details -> 'consents') c WHERE c ->> 'purpose' = 'sharing' AND c ->> 'given_on' <= day
                 AND c ->> 'withdrawn_on' IS NULL AND (c ->> 'expires_on' IS NULL OR c ->> 'expires_on' >= day)) $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION shared_identity(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shared_identity(uuid, text) TO onward_app;

ALTER TABLE referrals ENABLE ROW LEVEL SECURITY;
ALTER TABLE referral_steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE answer_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE own_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE close_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE reconfirmations ENABLE ROW LEVEL SECURITY;
ALTER TABLE only_good_fits ENABLE ROW LEVEL SECURITY;
ALTER TABLE placements ENABLE ROW LEVEL SECURITY;
ALTER TABLE events ENABLE ROW LEVEL SECURITY;

CREATE POLICY referrals_agency ON referrals FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY referrals_recipient_read ON referrals FOR SELECT TO onward_app
    USING (status <> 'draft' AND (SELECT onward_role()) IN ('employer', 'supervisor', 'administrator') AND recipient_id = (SELECT onward_organisation()));
CREATE POLICY referrals_recipient_write ON referrals FOR UPDATE TO onward_app
    USING (status <> 'draft' AND (SELECT onward_role()) IN ('employer', 'supervisor', 'administrator') AND recipient_id = (SELECT onward_organisation()));
CREATE POLICY referral_steps_read ON referral_steps FOR SELECT TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY referral_steps_write ON referral_steps FOR INSERT TO onward_app WITH CHECK ((SELECT onward_role()) <> '');
CREATE POLICY answer_links_all ON answer_links FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY own_keys_all ON own_keys FOR ALL TO onward_app USING ((SELECT onward_role()) = 'system');
CREATE POLICY close_rules_all ON close_rules FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) IN ('supervisor', 'administrator') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY reconfirmations_all ON reconfirmations FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) IN ('employer', 'supervisor', 'administrator') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY only_good_fits_all ON only_good_fits FOR ALL TO onward_app USING ((SELECT onward_role()) = 'system');
CREATE POLICY placements_agency ON placements FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY placements_recipient ON placements FOR ALL TO onward_app
    USING ((SELECT onward_role()) IN ('employer', 'supervisor', 'administrator') AND recipient_id = (SELECT onward_organisation()));
CREATE POLICY placements_partner_read ON placements FOR SELECT TO onward_app
    USING ((SELECT onward_role()) = 'partner' AND partner_id = (SELECT onward_organisation()));
CREATE POLICY placements_partner_write ON placements FOR UPDATE TO onward_app
    USING ((SELECT onward_role()) = 'partner' AND partner_id = (SELECT onward_organisation()));
-- A partner ends what it monitors, which ends the referral.
CREATE POLICY referrals_partner_read ON referrals FOR SELECT TO onward_app
    USING ((SELECT onward_role()) = 'partner' AND id IN (SELECT referral_id FROM placements WHERE partner_id = (SELECT onward_organisation())));
CREATE POLICY referrals_partner_write ON referrals FOR UPDATE TO onward_app
    USING ((SELECT onward_role()) = 'partner' AND id IN (SELECT referral_id FROM placements WHERE partner_id = (SELECT onward_organisation())));
CREATE POLICY events_tell ON events FOR INSERT TO onward_app WITH CHECK ((SELECT onward_role()) <> '');
CREATE POLICY events_read ON events FOR SELECT TO onward_app
    USING ((SELECT onward_role()) = 'system' OR organisation_id = (SELECT onward_organisation()));

-- For how many other people an opportunity is the only good fit: a count, whoever they are registered with.
-- +goose StatementBegin
CREATE FUNCTION only_good_fit_for(opportunities uuid[], but uuid) RETURNS TABLE (opportunity_id uuid, people bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT f.opportunity_id, count(*) FROM only_good_fits f WHERE f.opportunity_id = ANY(opportunities) AND f.returnee_id IS DISTINCT FROM but
             AND NOT EXISTS (SELECT FROM referrals r WHERE r.returnee_id = f.returnee_id
                 AND r.status IN ('requested', 'accepted', 'on_hold', 'in_progress', 'placed'))
             AND onward_role() <> '' GROUP BY f.opportunity_id $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION only_good_fit_for(uuid[], uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION only_good_fit_for(uuid[], uuid) TO onward_app;

GRANT SELECT, INSERT, UPDATE ON referrals, answer_links, reconfirmations, placements TO onward_app;
GRANT SELECT, INSERT ON own_keys, referral_steps, events TO onward_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON close_rules, only_good_fits TO onward_app;
