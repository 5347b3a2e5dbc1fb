-- +goose Up

-- By what name an organisation knows a person for one of its opportunities: random, so that nothing leads from it to the
-- person, nor from one opportunity to another.
CREATE TABLE candidate_pseudonyms (
    opportunity_id uuid NOT NULL REFERENCES opportunities,
    returnee_id    uuid NOT NULL REFERENCES returnees,
    pseudonym      uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    PRIMARY KEY (opportunity_id, returnee_id)
);

-- In which forms an opportunity was when its organisation looked at candidates: a hash of what it asks for.
CREATE TABLE candidate_forms (
    opportunity_id uuid NOT NULL REFERENCES opportunities,
    form           bytea NOT NULL,
    PRIMARY KEY (opportunity_id, form)
);

-- The best of many people for one opportunity are looked for among those changed last.
CREATE INDEX returnees_country ON returnees (country, updated_at DESC, id);

-- Adults who live together, or mean to. Each stays a returnee of their own.
CREATE TABLE households (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL REFERENCES organisations,
    country         text NOT NULL,
    version         bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organisation_id, id)
);
CREATE INDEX households_organisation ON households (organisation_id, id DESC);

CREATE TABLE household_adults (
    returnee_id     uuid PRIMARY KEY, -- of one household at most
    organisation_id uuid NOT NULL,
    household_id    uuid NOT NULL,
    position        integer NOT NULL,
    FOREIGN KEY (organisation_id, returnee_id) REFERENCES returnees (organisation_id, id),
    FOREIGN KEY (organisation_id, household_id) REFERENCES households (organisation_id, id) ON DELETE CASCADE
);
CREATE INDEX household_adults_household ON household_adults (household_id, position);

ALTER TABLE candidate_pseudonyms ENABLE ROW LEVEL SECURITY;
ALTER TABLE candidate_forms ENABLE ROW LEVEL SECURITY;
ALTER TABLE households ENABLE ROW LEVEL SECURITY;
ALTER TABLE household_adults ENABLE ROW LEVEL SECURITY;

CREATE POLICY candidate_pseudonyms_all ON candidate_pseudonyms FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system');
CREATE POLICY candidate_forms_all ON candidate_forms FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system');
CREATE POLICY households_all ON households FOR ALL TO onward_app
    USING ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation()));
CREATE POLICY household_adults_all ON household_adults FOR ALL TO onward_app
    USING ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation()));

GRANT SELECT, INSERT, UPDATE ON candidate_pseudonyms TO onward_app;
GRANT SELECT, INSERT ON candidate_forms TO onward_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON households, household_adults TO onward_app;
