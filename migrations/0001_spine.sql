-- +goose Up

-- The application works as onward_app: not a superuser, owner of nothing, and under row-level security. Logins that run
-- Onward are members of it and switch to it on every connection. Roles belong to the cluster, so another database may
-- have made it already.
-- +goose StatementBegin
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'onward_app') THEN
        CREATE ROLE onward_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
-- +goose StatementEnd

-- Whoever may make roles but is no superuser (an administrator of a managed database) has to be let in by name. If someone
-- else made the role, they have to do that.
-- +goose StatementBegin
DO $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT onward_app TO %I', current_user);
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN NULL;
END
$$;
-- +goose StatementEnd

-- Who acts: set at the start of each transaction by store.InTx, gone at its end.
CREATE FUNCTION onward_role() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT current_setting('onward.role', true) $$;
CREATE FUNCTION onward_organisation() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('onward.organisation', true), '')::uuid $$;

CREATE TABLE organisations (
    id         uuid PRIMARY KEY,
    slug       text NOT NULL UNIQUE,
    name       text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('agency', 'employer', 'civil_society', 'project', 'authority')),
    country    text NOT NULL,
    fictional  boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL REFERENCES organisations,
    name            text NOT NULL,
    email           text NOT NULL,
    role            text NOT NULL CHECK (role IN ('counsellor', 'supervisor', 'employer', 'partner', 'analyst', 'administrator')),
    language        text NOT NULL DEFAULT 'en',
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organisation_id, id)
);
CREATE UNIQUE INDEX users_email ON users (lower(email));

-- Only the SHA-256 of a token's secret is kept. The secret has 256 random bits, so a slow hash would add nothing.
CREATE TABLE api_tokens (
    id              uuid PRIMARY KEY,
    user_id         uuid NOT NULL,
    organisation_id uuid NOT NULL,
    name            text NOT NULL,
    secret_hash     bytea NOT NULL UNIQUE,
    expires_at      timestamptz,
    revoked_at      timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    -- With the organisation in the key, because checks of foreign keys look past row-level security: an administrator
    -- can't make a token for another organisation's user.
    FOREIGN KEY (organisation_id, user_id) REFERENCES users (organisation_id, id)
);

-- Authentication comes before there is an actor, so it has its own narrow door past row-level security.
CREATE FUNCTION authenticate(hash bytea)
    RETURNS TABLE (token_id uuid, user_id uuid, organisation_id uuid, role text, expires_at timestamptz, revoked_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT t.id, u.id, u.organisation_id, u.role, t.expires_at, t.revoked_at
            FROM api_tokens t JOIN users u ON u.id = t.user_id WHERE t.secret_hash = hash $$;
REVOKE ALL ON FUNCTION authenticate(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION authenticate(bytea) TO onward_app;

-- Reference data: the same for everyone, loaded by commands, never by a request.
CREATE TABLE places (
    id          bigint PRIMARY KEY,
    name        text NOT NULL,
    alt_names   text[] NOT NULL DEFAULT '{}',
    country     text NOT NULL,
    admin1      text NOT NULL DEFAULT '',
    admin1_name text NOT NULL DEFAULT '',
    lat         double precision NOT NULL CHECK (lat BETWEEN -90 AND 90),
    lon         double precision NOT NULL CHECK (lon BETWEEN -180 AND 180),
    population  integer NOT NULL DEFAULT 0,
    time_zone   text NOT NULL DEFAULT ''
);

CREATE TABLE reference_releases (
    kind      text NOT NULL CHECK (kind IN ('places', 'taxonomy')),
    release   text NOT NULL,
    name      text NOT NULL,
    source    text NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, release)
);

-- Two releases of one classification share most ids.
CREATE TABLE concepts (
    id            text NOT NULL,
    release       text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('skill', 'knowledge', 'skill_group', 'occupation', 'isco_group')),
    code          text NOT NULL DEFAULT '',
    unseen_unpaid boolean NOT NULL DEFAULT false,
    PRIMARY KEY (release, id)
);

CREATE TABLE concept_labels (
    release    text NOT NULL,
    concept_id text NOT NULL,
    language   text NOT NULL,
    text       text NOT NULL,
    preferred  boolean NOT NULL
);
CREATE INDEX concept_labels_release ON concept_labels (release);

CREATE TABLE concept_relations (
    release text NOT NULL,
    from_id text NOT NULL,
    to_id   text NOT NULL,
    kind    text NOT NULL CHECK (kind IN ('essential', 'optional', 'broader', 'related', 'exact'))
);
CREATE INDEX concept_relations_release ON concept_relations (release);

-- Opportunities. details is what the organisation says of it, in the form of onward.OpportunityDetails; the columns
-- beside it are what SQL filters, counts and guards.
CREATE TABLE opportunities (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL REFERENCES organisations,
    external_id     text,
    version         bigint NOT NULL DEFAULT 1,
    status          text NOT NULL CHECK (status IN ('draft', 'open', 'paused', 'closed')),
    close_reason    text NOT NULL DEFAULT '',
    kind            text NOT NULL,
    place_id        bigint REFERENCES places,
    capacity        integer NOT NULL CHECK (capacity > 0),
    held            integer NOT NULL DEFAULT 0 CHECK (held >= 0),
    placed          integer NOT NULL DEFAULT 0 CHECK (placed >= 0),
    closes_on       date,
    details         jsonb NOT NULL,
    fictional       boolean NOT NULL DEFAULT false,
    published_at    timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    -- The writing transaction. A follower that has read everything up to the oldest transaction still running misses
    -- nothing, which a sequence can't promise: its numbers commit out of order.
    changed_in      xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CHECK (held + placed <= capacity),
    UNIQUE (organisation_id, external_id)
);
CREATE INDEX opportunities_organisation ON opportunities (organisation_id, id DESC);
CREATE INDEX opportunities_open ON opportunities (id DESC) WHERE status = 'open';
CREATE INDEX opportunities_place ON opportunities (place_id, id DESC);
CREATE INDEX opportunities_kind ON opportunities (kind, id DESC);
CREATE INDEX opportunities_changed ON opportunities (changed_in);

-- Every version that ever was, so that a past ranked list can be worked out again exactly.
CREATE TABLE opportunity_versions (
    opportunity_id  uuid NOT NULL,
    version         bigint NOT NULL,
    organisation_id uuid NOT NULL,
    body            jsonb NOT NULL,
    PRIMARY KEY (opportunity_id, version)
);

-- +goose StatementBegin
CREATE FUNCTION keep_opportunity_versions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO opportunity_versions SELECT id, version, organisation_id, to_jsonb(written) FROM written;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
-- Once a statement, not a row: a batch of 500 is then one insert.
CREATE TRIGGER opportunities_keep_inserted AFTER INSERT ON opportunities REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION keep_opportunity_versions();
CREATE TRIGGER opportunities_keep_updated AFTER UPDATE ON opportunities REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION keep_opportunity_versions();

-- +goose StatementBegin
CREATE FUNCTION tell_opportunities_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('onward_opportunities', '');
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER opportunities_tell AFTER INSERT OR UPDATE ON opportunities
    FOR EACH STATEMENT EXECUTE FUNCTION tell_opportunities_changed();

-- Returnees. What tells who a person is stays in a table of its own, which the system role of the workers can't read.
CREATE TABLE returnees (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL REFERENCES organisations,
    counsellor_id   uuid REFERENCES users,
    external_id     text,
    version         bigint NOT NULL DEFAULT 1,
    country         text NOT NULL,
    details         jsonb NOT NULL,
    fictional       boolean NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organisation_id, external_id),
    UNIQUE (organisation_id, id)
);

CREATE TABLE returnee_identities (
    returnee_id     uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    identity        jsonb NOT NULL,
    FOREIGN KEY (organisation_id, returnee_id) REFERENCES returnees (organisation_id, id)
);

CREATE TABLE referral_requests (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    returnee_id     uuid NOT NULL,
    requested_by    uuid NOT NULL,
    idempotency_key text,
    body_hash       bytea,
    status          text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'ready', 'refused')),
    options         jsonb NOT NULL,
    refusal         text NOT NULL DEFAULT '',
    -- list is the answer as it was given. inputs holds what replaying it needs: the profile as it was, and which
    -- version of which opportunity was scored. Both are JSON packed with zstd, a seventh of its size: no SQL looks into
    -- them, and packing them here (EXTERNAL stops Postgres from it) costs a fraction of what Postgres' own would.
    list            bytea,
    inputs          bytea,
    created_at      timestamptz NOT NULL DEFAULT now(),
    ready_at        timestamptz,
    UNIQUE (requested_by, idempotency_key),
    FOREIGN KEY (organisation_id, returnee_id) REFERENCES returnees (organisation_id, id),
    FOREIGN KEY (organisation_id, requested_by) REFERENCES users (organisation_id, id),
    CHECK ((status = 'ready') = (list IS NOT NULL))
);
ALTER TABLE referral_requests ALTER COLUMN list SET STORAGE EXTERNAL, ALTER COLUMN inputs SET STORAGE EXTERNAL;
CREATE INDEX referral_requests_returnee ON referral_requests (returnee_id, id DESC);
CREATE INDEX referral_requests_queued ON referral_requests (created_at) WHERE status = 'queued';

-- +goose StatementBegin
CREATE FUNCTION tell_request_done() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('onward_requests', NEW.id::text);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER referral_requests_tell AFTER UPDATE ON referral_requests
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION tell_request_done();

-- The outbox: work that a transaction promised. A row leaves when the work is done, in the transaction that does it, so
-- that a queue which forgets everything is filled again from here. Payloads hold ids and versions only.
CREATE TABLE outbox (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          text NOT NULL,
    payload       jsonb NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    dispatched_at timestamptz,
    attempts      integer NOT NULL DEFAULT 0 -- how often it was dispatched
);
CREATE INDEX outbox_waiting ON outbox (id) WHERE dispatched_at IS NULL;
CREATE INDEX outbox_dispatched ON outbox (dispatched_at) WHERE dispatched_at IS NOT NULL;

-- +goose StatementBegin
CREATE FUNCTION tell_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('onward_outbox', '');
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER outbox_tell AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION tell_outbox();

-- Row-level security. A session without an actor sees and changes nothing.
ALTER TABLE organisations ENABLE ROW LEVEL SECURITY;
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE opportunities ENABLE ROW LEVEL SECURITY;
ALTER TABLE opportunity_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE returnees ENABLE ROW LEVEL SECURITY;
ALTER TABLE returnee_identities ENABLE ROW LEVEL SECURITY;
ALTER TABLE referral_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;

-- Names of organisations are public to all users: lists show them.
CREATE POLICY organisations_read ON organisations FOR SELECT TO onward_app
    USING ((SELECT onward_role()) <> '');
CREATE POLICY organisations_write ON organisations FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system');

CREATE POLICY users_read ON users FOR SELECT TO onward_app
    USING ((SELECT onward_role()) = 'system' OR organisation_id = (SELECT onward_organisation()));
CREATE POLICY users_write ON users FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) = 'administrator' AND organisation_id = (SELECT onward_organisation())));

CREATE POLICY api_tokens_all ON api_tokens FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) = 'administrator' AND organisation_id = (SELECT onward_organisation())));

-- Drafts are seen by their own organisation only; an employer sees no one else's openings at all.
CREATE POLICY opportunities_read ON opportunities FOR SELECT TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR organisation_id = (SELECT onward_organisation())
           OR (status <> 'draft' AND (SELECT onward_role()) IN ('counsellor', 'supervisor', 'partner', 'analyst', 'administrator')));
CREATE POLICY opportunities_insert ON opportunities FOR INSERT TO onward_app
    WITH CHECK ((SELECT onward_role()) = 'system'
                OR ((SELECT onward_role()) IN ('employer', 'supervisor', 'administrator')
                    AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY opportunities_update ON opportunities FOR UPDATE TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) IN ('employer', 'supervisor', 'administrator')
               AND organisation_id = (SELECT onward_organisation())));

CREATE POLICY opportunity_versions_read ON opportunity_versions FOR SELECT TO onward_app
    USING ((SELECT onward_role()) = 'system' OR organisation_id = (SELECT onward_organisation()));

CREATE POLICY returnees_all ON returnees FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY returnee_identities_all ON returnee_identities FOR ALL TO onward_app
    USING ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation()));
CREATE POLICY referral_requests_all ON referral_requests FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) IN ('counsellor', 'supervisor') AND organisation_id = (SELECT onward_organisation())));

CREATE POLICY outbox_promise ON outbox FOR INSERT TO onward_app
    WITH CHECK ((SELECT onward_role()) <> '');
CREATE POLICY outbox_work ON outbox FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system');

GRANT USAGE ON SCHEMA public TO onward_app;
GRANT SELECT, INSERT, UPDATE ON organisations, users, api_tokens, opportunities, returnees, returnee_identities,
    referral_requests TO onward_app;
GRANT SELECT ON opportunity_versions TO onward_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO onward_app;
GRANT SELECT ON places, reference_releases, concepts, concept_labels, concept_relations TO onward_app;
GRANT SELECT ON goose_db_version TO onward_app;
