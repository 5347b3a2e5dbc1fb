-- +goose Up

-- By which users choose their first password, or another when they have forgotten it, once. What is sent is signed and names a row here.
CREATE TABLE invitations (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    user_id         uuid NOT NULL,
    purpose         text NOT NULL CHECK (purpose IN ('invite', 'reset')),
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz,
    FOREIGN KEY (organisation_id, user_id) REFERENCES users (organisation_id, id)
);
CREATE INDEX invitations_user ON invitations (user_id);

ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
CREATE POLICY invitations_all ON invitations FOR ALL TO onward_app USING ((SELECT onward_role()) = 'system');
GRANT SELECT, INSERT, UPDATE, DELETE ON invitations TO onward_app;
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE ON invitations DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'id', 'user_id');
