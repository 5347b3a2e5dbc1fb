-- +goose Up

-- Which database this is, through all its restores: backups of another are told apart by it.
CREATE TABLE installation (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    id       uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO installation DEFAULT VALUES;

-- Who was erased. A restore of an older backup erases them again.
CREATE TABLE erasures (
    returnee_id uuid PRIMARY KEY,
    erased_at   timestamptz NOT NULL
);
INSERT INTO erasures SELECT id, erased_at FROM returnees WHERE erased_at IS NOT NULL;

-- +goose StatementBegin
CREATE FUNCTION note_erasure() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO erasures VALUES (OLD.id, now()) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION note_erasure() FROM PUBLIC;
CREATE TRIGGER returnees_erased AFTER UPDATE ON returnees FOR EACH ROW WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION note_erasure();
CREATE TRIGGER returnees_deleted AFTER DELETE ON returnees FOR EACH ROW EXECUTE FUNCTION note_erasure();

-- Read by the owner of the schema alone, who makes backups.
ALTER TABLE installation ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasures ENABLE ROW LEVEL SECURITY;
