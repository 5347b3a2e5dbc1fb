-- +goose Up

-- An event says that something happened, and not why: the record says so to those who may read it.
ALTER TABLE events DROP COLUMN reason;

-- An endpoint that fails rests, so that it does not keep the others waiting; it is given up after three days without a success.
ALTER TABLE webhooks ADD COLUMN failing_since timestamptz, ADD COLUMN failures integer NOT NULL DEFAULT 0, ADD COLUMN resting_until timestamptz;

-- Set while someone is sending it.
ALTER TABLE deliveries ADD COLUMN claimed_at timestamptz;
CREATE INDEX deliveries_webhook ON deliveries (webhook_id, next_try_at) WHERE status = 'queued';
CREATE INDEX deliveries_claimed ON deliveries (webhook_id) WHERE claimed_at IS NOT NULL;
CREATE INDEX deliveries_created ON deliveries (created_at);
GRANT DELETE ON deliveries TO onward_app;
