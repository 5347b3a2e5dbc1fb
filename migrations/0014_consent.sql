-- +goose Up

-- What was agreed to and taken back, as it was said then: rows are added and never changed.
CREATE TABLE consent_records (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    returnee_id     uuid NOT NULL,
    what            text NOT NULL CHECK (what IN ('given', 'withdrawn', 'changed', 'expired')),
    consent         jsonb NOT NULL,
    recorded_by     uuid,
    at              timestamptz NOT NULL,
    FOREIGN KEY (organisation_id, returnee_id) REFERENCES returnees (organisation_id, id)
);
CREATE INDEX consent_records_returnee ON consent_records (returnee_id, at);

-- What ending a consent did, in the transaction that ended it.
CREATE TABLE withdrawals (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    returnee_id     uuid NOT NULL,
    purposes        text[] NOT NULL,
    cause           text NOT NULL CHECK (cause IN ('withdrawn', 'expired', 'erased')),
    recorded_by     uuid,
    at              timestamptz NOT NULL,
    referrals       uuid[] NOT NULL,
    requests        uuid[] NOT NULL,
    FOREIGN KEY (organisation_id, returnee_id) REFERENCES returnees (organisation_id, id)
);
CREATE INDEX withdrawals_returnee ON withdrawals (returnee_id, at);

-- Whom that asked to delete what they were shown. The pseudonym is how they know the person.
CREATE TABLE deletion_requests (
    id              uuid PRIMARY KEY,
    withdrawal_id   uuid NOT NULL REFERENCES withdrawals,
    organisation_id uuid NOT NULL,
    recipient_id    uuid NOT NULL REFERENCES organisations,
    pseudonym       uuid NOT NULL,
    asked_at        timestamptz NOT NULL,
    due_at          timestamptz NOT NULL,
    confirmed_at    timestamptz,
    confirmed_by    uuid,
    reminded_at     timestamptz,
    UNIQUE (withdrawal_id, recipient_id, pseudonym)
);
CREATE INDEX deletion_requests_recipient ON deletion_requests (recipient_id, id DESC);
CREATE INDEX deletion_requests_due ON deletion_requests (due_at) WHERE confirmed_at IS NULL AND reminded_at IS NULL;

-- next_expiry is the day after which the next consent has run out.
ALTER TABLE returnees ADD COLUMN next_expiry date, ADD COLUMN renewal_asked_on date, ADD COLUMN erased_at timestamptz;
ALTER TABLE returnees DISABLE TRIGGER audit;
UPDATE returnees SET next_expiry = (SELECT min((c ->> 'expires_on')::date) FROM jsonb_array_elements(details -> 'consents') c WHERE c ->> 'withdrawn_on' IS NULL AND (c ->> 'expires_on')::date >= current_date);
ALTER TABLE returnees ENABLE TRIGGER audit;
CREATE INDEX returnees_next_expiry ON returnees (next_expiry) WHERE next_expiry IS NOT NULL;

ALTER TABLE consent_records ENABLE ROW LEVEL SECURITY;
ALTER TABLE withdrawals ENABLE ROW LEVEL SECURITY;
ALTER TABLE deletion_requests ENABLE ROW LEVEL SECURITY;
CREATE POLICY consent_records_all ON consent_records FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system' OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY withdrawals_all ON withdrawals FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system' OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY deletion_requests_agency ON deletion_requests FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system' OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY deletion_requests_recipient ON deletion_requests FOR SELECT TO onward_app
    USING ((SELECT onward_role()) IN ('employer', 'partner', 'supervisor', 'administrator') AND recipient_id = (SELECT onward_organisation()));
CREATE POLICY deletion_requests_confirm ON deletion_requests FOR UPDATE TO onward_app
    USING ((SELECT onward_role()) IN ('employer', 'partner', 'supervisor', 'administrator') AND recipient_id = (SELECT onward_organisation()));
GRANT SELECT, INSERT ON consent_records, withdrawals TO onward_app;
GRANT SELECT, INSERT, UPDATE ON deletion_requests TO onward_app;
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON consent_records DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id', 'returnee_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON withdrawals DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id', 'returnee_id');
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON deletion_requests DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id', 'withdrawal_id');

-- Whether a person agrees that a recipient sees a field ('' for anything at all) on a day.
-- +goose StatementBegin
CREATE FUNCTION shares(details jsonb, recipient uuid, recipient_kind text, field text, day text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT EXISTS (SELECT FROM jsonb_array_elements(details -> 'consents') c
           WHERE c ->> 'purpose' = 'sharing' AND c ->> 'given_on' <= day AND c ->> 'withdrawn_on' IS NULL AND (c ->> 'expires_on' IS NULL OR c ->> 'expires_on' >= day)
             AND (c -> 'recipients' IS NULL AND c -> 'recipient_kinds' IS NULL OR c -> 'recipients' ? recipient::text OR c -> 'recipient_kinds' ? recipient_kind)
             AND (field = '' OR c -> 'fields' IS NULL OR c -> 'fields' ? field)) $$;

CREATE OR REPLACE FUNCTION shared_identity(referral uuid, day text) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT jsonb_build_object('returnee_id', p.id, 'key', encode(i.key, 'base64'), 'language', p.details ->> 'language', 'fields',
                coalesce((SELECT jsonb_object_agg(f, i.identity -> f) FROM unnest(ARRAY['given_name', 'family_name', 'phone']) f
                    WHERE i.identity ? f AND shares(p.details, r.recipient_id, o.kind, f, day)), '{}'))
            FROM referrals r JOIN returnees p ON p.id = r.returnee_id JOIN returnee_identities i ON i.returnee_id = p.id JOIN organisations o ON o.id = r.recipient_id
           WHERE r.id = referral AND r.recipient_id = onward_organisation() AND onward_role() IN ('employer', 'supervisor', 'administrator')
             AND r.status IN ('accepted', 'on_hold', 'in_progress', 'placed') AND r.answered_at IS NOT NULL
             AND shares(p.details, r.recipient_id, o.kind, '', day) $$;
-- +goose StatementEnd
