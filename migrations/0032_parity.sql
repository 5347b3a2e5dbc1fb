-- +goose Up

-- What a person chose to say so that unfairness can be found, and for nothing else. Kept apart from the profile: no list and no score reads
-- it. The agency that asked reads its own rows; the system counts them by the functions below, and has no right to one.
CREATE TABLE parity_attributes (
    returnee_id     uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    sex             text NOT NULL DEFAULT '' CHECK (sex IN ('', 'female', 'male', 'other', 'not_said')),
    disability      text NOT NULL DEFAULT '' CHECK (disability IN ('', 'yes', 'no', 'not_said')),
    return_kind     text NOT NULL DEFAULT '' CHECK (return_kind IN ('', 'forced', 'voluntary', 'not_said')),
    origin          text NOT NULL DEFAULT '' CHECK (origin IN ('', 'rural', 'urban', 'not_said')),
    recorded_by     uuid,
    recorded_at     timestamptz NOT NULL,
    salt            uuid NOT NULL DEFAULT gen_random_uuid(), -- so that the hash in the audit can't be guessed back
    FOREIGN KEY (organisation_id, returnee_id) REFERENCES returnees (organisation_id, id)
);
ALTER TABLE parity_attributes ENABLE ROW LEVEL SECURITY;
CREATE POLICY parity_attributes_all ON parity_attributes FOR ALL TO onward_app
    USING ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation()));
GRANT SELECT, INSERT, UPDATE, DELETE ON parity_attributes TO onward_app;
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON parity_attributes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('organisation_id', 'returnee_id');

-- The openings of a list with their scores, in the order of the list: what figures need of it without unpacking.
ALTER TABLE referral_requests ADD COLUMN listed uuid[], ADD COLUMN scores real[];

-- They go with the list, and the attributes with the person, however that comes about.
-- +goose StatementBegin
CREATE FUNCTION forget_scores() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.listed := NULL;
    NEW.scores := NULL;
    RETURN NEW;
END
$$;
CREATE FUNCTION forget_parity() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM parity_attributes WHERE returnee_id = NEW.id;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION forget_scores(), forget_parity() FROM PUBLIC;
CREATE TRIGGER forget_scores BEFORE UPDATE ON referral_requests FOR EACH ROW WHEN (OLD.list IS NOT NULL AND NEW.list IS NULL) EXECUTE FUNCTION forget_scores();
CREATE TRIGGER forget_parity AFTER UPDATE ON returnees FOR EACH ROW WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION forget_parity();

-- The groups of people with a list, and the latest list of each. An urban origin is one of at least 15,000 people, where the person did not say.
-- +goose StatementBegin
CREATE FUNCTION parity_people(organisation uuid, today date)
    RETURNS TABLE (returnee_id uuid, listed uuid[], scores real[], sex text, age text, disability text, return_kind text, origin text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT r.id, q.listed, q.scores, coalesce(nullif(a.sex, ''), 'not_said'),
              CASE WHEN r.details ->> 'birth_date' IS NULL THEN 'not_said'
                   ELSE (ARRAY['under 25', '25 to 34', '35 to 49', '50 and over'])[1 + width_bucket(date_part('year', age(today, (r.details ->> 'birth_date')::date)), ARRAY[25, 35, 50]::double precision[])] END,
              coalesce(nullif(a.disability, ''), 'not_said'), coalesce(nullif(a.return_kind, ''), 'not_said'),
              coalesce(nullif(a.origin, ''), CASE WHEN p.population >= 15000 THEN 'urban' WHEN p.population > 0 THEN 'rural' END, 'not_said')
            FROM (SELECT DISTINCT ON (q.returnee_id) q.returnee_id, q.listed, q.scores FROM referral_requests q
                   WHERE q.scores IS NOT NULL AND (organisation IS NULL OR q.organisation_id = organisation) ORDER BY q.returnee_id, q.ready_at DESC) q
            JOIN returnees r ON r.id = q.returnee_id AND r.erased_at IS NULL
            LEFT JOIN parity_attributes a ON a.returnee_id = r.id
            LEFT JOIN places p ON p.id = (jsonb_path_query_first(r.details, '$.places[*] ? (@.relation == "origin").place_id'))::bigint $$;

-- People with a list by group, what became of them, and the best score of their list in hundredths; value sums up score / log2(rank + 1).
CREATE FUNCTION parity_counts(organisation uuid, today date)
    RETURNS TABLE (attribute text, of_group text, stage text, bin integer, people bigint, value double precision)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET work_mem = '64MB'
    AS $$ WITH became AS (
              SELECT r.returnee_id, CASE WHEN bool_or(r.status = 'placed' OR r.outcome IN ('lasting', 'moved_on')) THEN 'kept' WHEN bool_or(r.outcome = 'ended_early') THEN 'early'
                      WHEN bool_or(r.outcome <> '') THEN 'unknown' WHEN bool_or(r.status IN ('requested', 'accepted', 'on_hold', 'in_progress')) THEN 'waiting'
                      WHEN bool_or(r.status IN ('declined', 'expired')) THEN 'refused' ELSE 'dropped' END AS stage
                FROM referrals r WHERE r.sent_at IS NOT NULL AND (organisation IS NULL OR r.organisation_id = organisation) GROUP BY 1),
          people AS MATERIALIZED (
              SELECT p.sex, p.age, p.disability, p.return_kind, p.origin, coalesce(b.stage, 'not_referred') AS stage, s.bin, s.value
                FROM parity_people(organisation, today) p LEFT JOIN became b USING (returnee_id)
                CROSS JOIN LATERAL (SELECT least(99, floor(100 * coalesce(max(x.score), 0) + 0.0001))::integer AS bin, coalesce(sum(x.score / log(2, x.rank + 1)), 0)::double precision AS value
                    FROM unnest(p.scores) WITH ORDINALITY x(score, rank)) s)
          SELECT g.attribute, g.of_group, p.stage, p.bin, count(*), sum(p.value) FROM people p
            CROSS JOIN LATERAL (VALUES ('sex', p.sex), ('age', p.age), ('disability', p.disability), ('return', p.return_kind), ('origin', p.origin)) g(attribute, of_group)
           WHERE onward_role() = 'system' GROUP BY 1, 2, 3, 4 $$;

-- For each opening that more people have on their latest list than it has places: them, without who they are, the best first. Of at most some people.
CREATE FUNCTION parity_openings(organisation uuid, today date, at_most integer)
    RETURNS TABLE (opening bigint, places integer, score real, sex text, age text, disability text, return_kind text, origin text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET work_mem = '64MB'
    AS $$ WITH people AS MATERIALIZED (SELECT * FROM parity_people(organisation, today) ORDER BY md5(returnee_id::text) LIMIT at_most),
          lines AS MATERIALIZED (
              SELECT x.id, x.score, p.sex, p.age, p.disability, p.return_kind, p.origin FROM people p CROSS JOIN LATERAL unnest(p.listed, p.scores) x(id, score)),
          wanted AS (SELECT l.id, count(*) AS people FROM lines l GROUP BY 1)
          SELECT dense_rank() OVER (ORDER BY l.id), o.capacity - o.held - o.placed, l.score, l.sex, l.age, l.disability, l.return_kind, l.origin
            FROM lines l JOIN wanted w ON w.id = l.id JOIN opportunities o ON o.id = l.id
           WHERE onward_role() = 'system' AND o.status = 'open' AND o.capacity - o.held - o.placed BETWEEN 1 AND w.people - 1 ORDER BY 1, l.score DESC $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION parity_people(uuid, date), parity_counts(uuid, date), parity_openings(uuid, date, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION parity_counts(uuid, date), parity_openings(uuid, date, integer) TO onward_app;
