-- +goose Up

-- Where people were seen to live, by check-ins and whoever else knows. The model of the likely destination learns from it.
CREATE TABLE residences (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    returnee_id     uuid NOT NULL,
    observed_on     date NOT NULL,
    place_id        bigint REFERENCES places, -- NULL: abroad
    source          text NOT NULL CHECK (source IN ('payroll', 'employer', 'self', 'partner')),
    recorded_by     uuid NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (returnee_id, observed_on, source),
    FOREIGN KEY (organisation_id, returnee_id) REFERENCES returnees (organisation_id, id),
    FOREIGN KEY (organisation_id, recorded_by) REFERENCES users (organisation_id, id)
);

-- Versions of the coefficients of a country, fitted on residences. All are kept: past lists name theirs.
CREATE TABLE destination_coefficients (
    country    text NOT NULL,
    version    text NOT NULL,
    body       jsonb NOT NULL,
    active     boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (country, version)
);
CREATE UNIQUE INDEX destination_coefficients_active ON destination_coefficients (country) WHERE active;

ALTER TABLE reference_releases DROP CONSTRAINT reference_releases_kind_check;
ALTER TABLE reference_releases ADD CHECK (kind IN ('places', 'taxonomy', 'coefficients'));

ALTER TABLE residences ENABLE ROW LEVEL SECURITY;
CREATE POLICY residences_all ON residences FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation())));

GRANT SELECT, INSERT ON residences TO onward_app;
GRANT SELECT ON destination_coefficients TO onward_app;
