-- +goose Up

-- What was checked of an organisation or an opening. The result is copied to the openings, where lists and the index read it.
CREATE TABLE vettings (
    subject_id      uuid PRIMARY KEY, -- an organisation or an opportunity
    subject         text NOT NULL CHECK (subject IN ('organisation', 'opportunity')),
    organisation_id uuid NOT NULL REFERENCES organisations,
    version         bigint NOT NULL DEFAULT 1,
    status          text NOT NULL CHECK (status IN ('unknown', 'passed', 'rejected')),
    valid_until     date,
    reopened_at     timestamptz,
    vetted_by       uuid REFERENCES organisations, -- whose supervisor checked last
    updated_at      timestamptz NOT NULL
);
CREATE INDEX vettings_valid ON vettings (valid_until) WHERE status = 'passed';
CREATE INDEX vettings_organisation ON vettings (organisation_id);

CREATE TABLE vetting_checks (
    subject_id uuid NOT NULL REFERENCES vettings,
    code       text NOT NULL,
    result     text NOT NULL,
    evidence   text NOT NULL,
    expires_on date NOT NULL,
    checked_by uuid,
    checked_at timestamptz NOT NULL,
    PRIMARY KEY (subject_id, code)
);

-- Every check that ever was, never changed.
CREATE TABLE vetting_history (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id uuid NOT NULL,
    code       text NOT NULL, -- or reopened, expired
    result     text NOT NULL,
    evidence   text NOT NULL,
    expires_on date,
    by_user    uuid,
    at         timestamptz NOT NULL
);
CREATE INDEX vetting_history_subject ON vetting_history (subject_id, id);

-- +goose StatementBegin
CREATE FUNCTION keep_vetting_history() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO vetting_history (subject_id, code, result, evidence, expires_on, by_user, at)
    VALUES (NEW.subject_id, NEW.code, NEW.result, NEW.evidence, NEW.expires_on, NEW.checked_by, NEW.checked_at);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER vetting_checks_history AFTER INSERT OR UPDATE ON vetting_checks FOR EACH ROW EXECUTE FUNCTION keep_vetting_history();

-- Copies the result of vetting to the openings of an organisation, or to one: both have to pass. An opening of which nothing was
-- checked counts as what it says. Returns what changed, with the new versions.
-- +goose StatementBegin
CREATE FUNCTION apply_vetting(vetted uuid) RETURNS TABLE (id uuid, version bigint)
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ WITH result AS (
              SELECT o.id, CASE WHEN g.status = 'rejected' OR v.status = 'rejected' OR (v.status IS NULL AND o.details ->> 'vetting' = 'rejected') THEN 'rejected'
                                WHEN g.status = 'passed' AND coalesce(v.status, o.details ->> 'vetting') = 'passed' THEN 'passed' ELSE 'unknown' END AS status,
                     CASE WHEN v.subject_id IS NULL THEN least(g.valid_until, (o.details ->> 'vetted_until')::date) ELSE least(g.valid_until, v.valid_until) END AS until
                FROM opportunities o LEFT JOIN vettings g ON g.subject_id = o.organisation_id LEFT JOIN vettings v ON v.subject_id = o.id
               WHERE (o.id = vetted OR o.organisation_id = vetted) AND o.status <> 'closed' AND onward_role() IN ('system', 'supervisor', 'counsellor', 'partner'))
          UPDATE opportunities o SET version = o.version + 1, updated_at = now(), changed_in = pg_current_xact_id(),
                 details = CASE WHEN r.status = 'passed' THEN o.details || jsonb_build_object('vetting', r.status, 'vetted_until', r.until)
                                ELSE (o.details - 'vetted_until') || jsonb_build_object('vetting', r.status) END
            FROM result r WHERE r.id = o.id
             AND (coalesce(o.details ->> 'vetting', 'unknown') <> r.status OR (r.status = 'passed' AND (o.details ->> 'vetted_until') IS DISTINCT FROM r.until::text))
          RETURNING o.id, o.version $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION apply_vetting(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION apply_vetting(uuid) TO onward_app;

-- Safeguarding alerts of an agency's people.
CREATE TABLE alerts (
    id              uuid PRIMARY KEY,
    version         bigint NOT NULL DEFAULT 1,
    organisation_id uuid NOT NULL REFERENCES organisations,
    referral_id     uuid NOT NULL REFERENCES referrals,
    placement_id    uuid,
    opportunity_id  uuid NOT NULL REFERENCES opportunities,
    recipient_id    uuid NOT NULL REFERENCES organisations,
    kind            text NOT NULL,
    severity        text NOT NULL CHECK (severity IN ('critical', 'high', 'medium')),
    source          text NOT NULL,
    source_id       uuid,
    stops           boolean NOT NULL,
    owner_id        uuid,
    raised_by       uuid, -- the organisation of whoever raised it
    due_at          timestamptz NOT NULL,
    overdue_at      timestamptz,
    raised_at       timestamptz NOT NULL,
    resolved_at     timestamptz,
    outcome         text NOT NULL DEFAULT '',
    UNIQUE (source_id, kind),
    CHECK ((resolved_at IS NULL) = (outcome = ''))
);
CREATE INDEX alerts_organisation ON alerts (organisation_id, id DESC);
CREATE INDEX alerts_stops ON alerts (opportunity_id) WHERE stops AND resolved_at IS NULL;
CREATE INDEX alerts_due ON alerts (due_at) WHERE resolved_at IS NULL AND overdue_at IS NULL;

CREATE TABLE alert_entries (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id        uuid NOT NULL REFERENCES alerts,
    organisation_id uuid NOT NULL,
    at              timestamptz NOT NULL,
    action          text NOT NULL,
    user_id         uuid,
    note            text NOT NULL
);
CREATE INDEX alert_entries_alert ON alert_entries (alert_id, id);

-- Stops new referrals to an opening that is open, whoever posted it, and reopens what was vetted of it and of its organisation.
-- Returns the new version, or NULL when it was not open.
-- +goose StatementBegin
CREATE FUNCTION stop_referrals(opportunity uuid, at timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ WITH reopened AS (
              UPDATE vettings v SET status = CASE WHEN v.status = 'rejected' THEN v.status ELSE 'unknown' END, valid_until = NULL, reopened_at = at, version = v.version + 1
                FROM opportunities o WHERE o.id = opportunity AND v.subject_id IN (o.id, o.organisation_id) AND onward_role() IN ('system', 'counsellor', 'supervisor', 'partner')
              RETURNING v.subject_id),
          noted AS (
              INSERT INTO vetting_history (subject_id, code, result, evidence, at) SELECT subject_id, 'reopened', 'unknown', '', at FROM reopened)
          UPDATE opportunities SET status = 'paused', version = version + 1, changed_in = pg_current_xact_id()
           WHERE id = opportunity AND status = 'open' AND onward_role() IN ('system', 'counsellor', 'supervisor', 'partner') RETURNING version $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION stop_referrals(uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stop_referrals(uuid, timestamptz) TO onward_app;

-- Whether new referrals to an opening are stopped: a yes or no, for who may not know why.
-- +goose StatementBegin
CREATE FUNCTION referrals_stopped(opportunity uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT EXISTS (SELECT FROM alerts WHERE opportunity_id = opportunity AND stops AND resolved_at IS NULL) $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION referrals_stopped(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION referrals_stopped(uuid) TO onward_app;

ALTER TABLE vettings ENABLE ROW LEVEL SECURITY;
ALTER TABLE vetting_checks ENABLE ROW LEVEL SECURITY;
ALTER TABLE vetting_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE alerts ENABLE ROW LEVEL SECURITY;
ALTER TABLE alert_entries ENABLE ROW LEVEL SECURITY;

-- Who is vetted does not read what was seen of it, and no one vets the own organisation.
CREATE POLICY vettings_read ON vettings FOR SELECT TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id <> (SELECT onward_organisation())));
CREATE POLICY vettings_write ON vettings FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) = 'supervisor' AND organisation_id <> (SELECT onward_organisation())));
CREATE POLICY vetting_checks_read ON vetting_checks FOR SELECT TO onward_app
    USING (subject_id IN (SELECT subject_id FROM vettings));
CREATE POLICY vetting_checks_write ON vetting_checks FOR ALL TO onward_app
    USING ((SELECT onward_role()) IN ('system', 'supervisor') AND subject_id IN (SELECT subject_id FROM vettings));
CREATE POLICY vetting_history_read ON vetting_history FOR SELECT TO onward_app
    USING (subject_id IN (SELECT subject_id FROM vettings));
CREATE POLICY vetting_history_note ON vetting_history FOR INSERT TO onward_app WITH CHECK ((SELECT onward_role()) = 'system');

CREATE POLICY alerts_agency ON alerts FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY alerts_partner_read ON alerts FOR SELECT TO onward_app
    USING ((SELECT onward_role()) = 'partner' AND raised_by = (SELECT onward_organisation())
           AND placement_id IN (SELECT id FROM placements WHERE partner_id = (SELECT onward_organisation())));
CREATE POLICY alerts_partner_raise ON alerts FOR INSERT TO onward_app
    WITH CHECK ((SELECT onward_role()) = 'partner' AND raised_by = (SELECT onward_organisation())
                AND placement_id IN (SELECT id FROM placements WHERE partner_id = (SELECT onward_organisation())));
CREATE POLICY alert_entries_read ON alert_entries FOR SELECT TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY alert_entries_write ON alert_entries FOR INSERT TO onward_app
    WITH CHECK ((SELECT onward_role()) IN ('system', 'counsellor', 'supervisor', 'partner') AND alert_id IN (SELECT id FROM alerts));

GRANT SELECT, INSERT, UPDATE ON vettings, vetting_checks, alerts TO onward_app;
GRANT SELECT, INSERT ON vetting_history, alert_entries TO onward_app;
