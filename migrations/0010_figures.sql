-- +goose Up

-- What an agency has published of its referrals in a month: counted once. The organisation is zero for that of the whole instance. The
-- system alone reads it, for those who may see it.
CREATE TABLE figures (
    organisation_id uuid NOT NULL,
    month           date NOT NULL,
    body            jsonb NOT NULL,
    counted_at      timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, month)
);
ALTER TABLE figures ENABLE ROW LEVEL SECURITY;
CREATE POLICY figures_all ON figures FOR ALL TO onward_app USING ((SELECT onward_role()) = 'system');
GRANT SELECT, INSERT ON figures TO onward_app;
