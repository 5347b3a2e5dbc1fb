-- +goose Up

-- By what names organisations see a person of the own caseload among candidates: for the person, who asks what is kept.
-- +goose StatementBegin
CREATE FUNCTION pseudonyms_of(person uuid) RETURNS TABLE (opportunity_id uuid, pseudonym uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$ SELECT c.opportunity_id, c.pseudonym FROM candidate_pseudonyms c JOIN returnees r ON r.id = c.returnee_id
           WHERE c.returnee_id = person AND onward_role() = 'supervisor' AND r.organisation_id = onward_organisation() $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION pseudonyms_of(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pseudonyms_of(uuid) TO onward_app;
