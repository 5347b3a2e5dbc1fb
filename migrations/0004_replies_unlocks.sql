-- +goose Up

-- How often an organisation answered the referrals that it was sent in time. Lists count it as a soft preference.
CREATE TABLE organisation_replies (
    organisation_id uuid PRIMARY KEY REFERENCES organisations,
    due             integer NOT NULL DEFAULT 0,
    answered        integer NOT NULL DEFAULT 0,
    CHECK (answered >= 0 AND answered <= due)
);

-- What would bring the most onto a person's list, of the latest list only. Details hold openings, nothing of the person.
CREATE TABLE unlocks (
    request_id      uuid NOT NULL REFERENCES referral_requests,
    position        integer NOT NULL,
    organisation_id uuid NOT NULL,
    returnee_id     uuid NOT NULL,
    kind            text NOT NULL,
    what            text[] NOT NULL,
    label           text NOT NULL,
    opens           integer NOT NULL,
    weight          double precision NOT NULL,
    PRIMARY KEY (request_id, position),
    FOREIGN KEY (organisation_id, returnee_id) REFERENCES returnees (organisation_id, id)
);
CREATE INDEX unlocks_returnee ON unlocks (returnee_id, request_id DESC);
CREATE INDEX unlocks_organisation ON unlocks (organisation_id);

ALTER TABLE organisation_replies ENABLE ROW LEVEL SECURITY;
ALTER TABLE unlocks ENABLE ROW LEVEL SECURITY;

CREATE POLICY organisation_replies_all ON organisation_replies FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system');
CREATE POLICY unlocks_all ON unlocks FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation())));

GRANT SELECT, INSERT, UPDATE ON organisation_replies TO onward_app;
GRANT SELECT, INSERT, DELETE ON unlocks TO onward_app;
