-- +goose Up

-- The record of each decision to refer somebody, written with the referral. Nobody changes one or takes one away: not even the owner without
-- the audit saying so. It holds ids, numbers and codes alone, so that it stays when the person is erased.
CREATE TABLE referral_decisions (
    referral_id     uuid PRIMARY KEY REFERENCES referrals,
    organisation_id uuid NOT NULL,
    returnee_id     uuid NOT NULL,
    decided_by      uuid NOT NULL,
    role            text NOT NULL,
    at              timestamptz NOT NULL,
    body            jsonb NOT NULL,
    list_hash       bytea -- of the list that it was chosen from, as it is stored
);
CREATE INDEX referral_decisions_returnee ON referral_decisions (returnee_id, at);

ALTER TABLE referral_decisions ENABLE ROW LEVEL SECURITY;
CREATE POLICY referral_decisions_read ON referral_decisions FOR SELECT TO onward_app
    USING ((SELECT onward_role()) = 'system' OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY referral_decisions_write ON referral_decisions FOR INSERT TO onward_app
    WITH CHECK ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation()));
GRANT SELECT, INSERT ON referral_decisions TO onward_app;

CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON referral_decisions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'referral_id', 'returnee_id');
