-- +goose Up

-- A page of a caseload begins here: the conditions of row-level security look rarer to the planner than they are.
CREATE INDEX returnees_organisation ON returnees (organisation_id, id DESC) WHERE erased_at IS NULL;
