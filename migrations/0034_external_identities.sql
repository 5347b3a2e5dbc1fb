-- +goose Up

-- Whom a provider of identities (OpenID Connect) means by a subject: bound once, by an invitation or by an address that both know to be the user's.
CREATE TABLE external_identities (
    issuer          text NOT NULL,
    subject         text NOT NULL,
    organisation_id uuid NOT NULL,
    user_id         uuid NOT NULL,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject),
    FOREIGN KEY (organisation_id, user_id) REFERENCES users (organisation_id, id)
);
CREATE INDEX external_identities_user ON external_identities (user_id);

ALTER TABLE external_identities ENABLE ROW LEVEL SECURITY;
CREATE POLICY external_identities_all ON external_identities FOR ALL TO onward_app USING ((SELECT onward_role()) = 'system');
GRANT SELECT, INSERT, DELETE ON external_identities TO onward_app;
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR DELETE ON external_identities DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'user_id');
