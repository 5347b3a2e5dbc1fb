-- +goose Up

-- Where an organisation is told of events by HTTP.
CREATE TABLE webhooks (
    id              uuid PRIMARY KEY,
    version         bigint NOT NULL DEFAULT 1,
    organisation_id uuid NOT NULL REFERENCES organisations,
    url             text NOT NULL,
    kinds           text[] NOT NULL DEFAULT '{}',
    disabled_at     timestamptz,
    disabled_for    text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL
);
CREATE INDEX webhooks_organisation ON webhooks (organisation_id, id);

-- What signs them. The system alone reads it; after a rotation the old one signs as well for a day.
CREATE TABLE webhook_secrets (
    webhook_id  uuid NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    secret      text NOT NULL,
    valid_until timestamptz, -- NULL: the present one
    created_at  timestamptz NOT NULL
);
CREATE INDEX webhook_secrets_webhook ON webhook_secrets (webhook_id);

CREATE TABLE notice_preferences (
    user_id uuid PRIMARY KEY REFERENCES users,
    off     text[] NOT NULL DEFAULT '{}',
    sms     text[] NOT NULL DEFAULT '{}',
    phone   text NOT NULL DEFAULT ''
);

-- Each event on its way to each endpoint and user, once.
CREATE TABLE deliveries (
    id              uuid PRIMARY KEY,
    event_id        uuid NOT NULL REFERENCES events,
    organisation_id uuid NOT NULL,
    channel         text NOT NULL CHECK (channel IN ('webhook', 'email', 'sms')),
    webhook_id      uuid REFERENCES webhooks ON DELETE CASCADE,
    user_id         uuid REFERENCES users,
    status          text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'sent', 'failed')),
    attempts        integer NOT NULL DEFAULT 0,
    next_try_at     timestamptz,
    last_code       integer NOT NULL DEFAULT 0,
    last_error      text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL,
    sent_at         timestamptz,
    UNIQUE NULLS NOT DISTINCT (event_id, channel, webhook_id, user_id)
);
CREATE INDEX deliveries_next ON deliveries (next_try_at) WHERE status = 'queued';
CREATE INDEX deliveries_organisation ON deliveries (organisation_id, id DESC);

ALTER TABLE webhooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE notice_preferences ENABLE ROW LEVEL SECURITY;
ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY;

CREATE POLICY webhooks_all ON webhooks FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) = 'administrator' AND organisation_id = (SELECT onward_organisation())));
CREATE POLICY webhook_secrets_all ON webhook_secrets FOR ALL TO onward_app USING ((SELECT onward_role()) = 'system');
CREATE POLICY notice_preferences_all ON notice_preferences FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system' OR user_id IN (SELECT id FROM users WHERE organisation_id = (SELECT onward_organisation())));
CREATE POLICY deliveries_all ON deliveries FOR ALL TO onward_app
    USING ((SELECT onward_role()) = 'system'
           OR ((SELECT onward_role()) = 'administrator' AND organisation_id = (SELECT onward_organisation())));

GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks, webhook_secrets TO onward_app;
GRANT SELECT, INSERT, UPDATE ON notice_preferences, deliveries TO onward_app;
