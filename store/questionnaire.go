package store

import (
	"context"
	"encoding/json"
	"slices"

	"onward"
)

// questionnaire reads the version that an agency asks (version 0: its latest), its own or a built-in one.
func (tx *Tx) questionnaire(ctx context.Context, agency onward.ID, code string, version int) (q onward.Questionnaire, err error) {
	var definition []byte
	if err := tx.get(ctx, &definition, `SELECT latest_questionnaire($1, $2, $3)`, agency, code, version); err != nil {
		return q, wrap("read questionnaire", err)
	}
	if definition != nil {
		return q, wrap("read questionnaire", json.Unmarshal(definition, &q))
	}
	found := false
	for _, b := range onward.BuiltinQuestionnaires() {
		if b.Code == code && (b.Version == version || version == 0 && b.Version > q.Version) {
			q, found = b, true
		}
	}
	if !found {
		return q, onward.Errorf(onward.ENotFound, "no questionnaire has this code and version; GET /v1/questionnaires lists them")
	}
	return q, nil
}

// Questionnaire reads a version of the actor's organisation; version 0 is the latest. ENotFound if there is none.
func (tx *Tx) Questionnaire(ctx context.Context, code string, version int) (onward.Questionnaire, error) {
	return tx.questionnaire(ctx, tx.Actor.OrganisationID, code, version)
}

// Questionnaires lists the latest versions that the actor's organisation asks.
func (tx *Tx) Questionnaires(ctx context.Context) ([]onward.Questionnaire, error) {
	var codes []string
	if err := tx.selectAll(ctx, &codes, `SELECT DISTINCT code FROM questionnaires WHERE organisation_id = $1`, tx.Actor.OrganisationID); err != nil {
		return nil, wrap("list questionnaires", err)
	}
	for _, b := range onward.BuiltinQuestionnaires() {
		codes = append(codes, b.Code)
	}
	slices.Sort(codes)
	var list []onward.Questionnaire
	for _, code := range slices.Compact(codes) {
		q, err := tx.Questionnaire(ctx, code, 0)
		if err != nil {
			return nil, err
		}
		list = append(list, q)
	}
	return list, nil
}

// PublishQuestionnaire adds a version: the next one, whatever the definition says. Versions that were asked stay as they are.
// EConflict when someone published one at the same moment.
func (tx *Tx) PublishQuestionnaire(ctx context.Context, q onward.Questionnaire) (onward.Questionnaire, error) {
	if tx.Actor.Role != onward.RoleSupervisor && tx.Actor.Role != onward.RoleAdministrator {
		return q, onward.Errorf(onward.EForbidden, "only supervisors and administrators publish questionnaires")
	}
	if err := q.Validate(); err != nil {
		return q, err
	}
	latest, err := tx.Questionnaire(ctx, q.Code, 0)
	if err != nil && onward.CodeOf(err) != onward.ENotFound {
		return q, err
	}
	q.Version = latest.Version + 1
	definition, err := marshal(q)
	if err != nil {
		return q, wrap("publish questionnaire", err)
	}
	_, err = tx.exec(ctx, `INSERT INTO questionnaires (organisation_id, code, version, definition, published_by, published_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		tx.Actor.OrganisationID, q.Code, q.Version, string(definition), nilIfZero(tx.Actor.UserID), tx.now)
	if constraintOf(err) == "questionnaires_pkey" {
		return q, onward.Errorf(onward.EConflict, "another version was published at the same moment; look at it, then publish yours again")
	}
	return q, wrap("publish questionnaire", err)
}
