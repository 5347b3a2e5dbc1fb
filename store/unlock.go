package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/lib/pq"

	"onward"
)

// unlockRow is an unlock as AnswerRequest writes it.
type unlockRow struct {
	Position int               `json:"position"`
	Kind     onward.ChangeKind `json:"kind"`
	What     []string          `json:"what"`
	Label    string            `json:"label"`
	Opens    int               `json:"opens"`
	Weight   float64           `json:"weight"`
}

// unlockRows is the JSON of a list's unlocks; empty for none.
func unlockRows(list *onward.RankedList) (string, error) {
	rows := []unlockRow{}
	if list != nil {
		for i, u := range list.Unlocks {
			rows = append(rows, unlockRow{i + 1, u.Change.Kind, u.Change.What, u.Change.Label, u.Opens, u.Weight})
		}
	}
	text, err := json.Marshal(rows)
	return string(text), err
}

// ReturneeUnlocks is what would bring the most onto one person's list.
type ReturneeUnlocks struct {
	RequestID onward.ID       `json:"request_id" doc:"The latest request with a list; zero when there is none"`
	ReadyAt   time.Time       `json:"ready_at,omitzero" doc:"When the list was made"`
	Unlocks   []onward.Unlock `json:"unlocks"`
}

// ReturneeUnlocks reads them from the person's latest list. ENotFound for a returnee whom the actor may not see.
func (tx *Tx) ReturneeUnlocks(ctx context.Context, returnee onward.ID) (onward.RankedList, ReturneeUnlocks, error) {
	var list onward.RankedList
	found := ReturneeUnlocks{Unlocks: []onward.Unlock{}}
	if _, err := tx.Returnee(ctx, returnee); err != nil {
		return list, found, err
	}
	var rows []requestRow
	err := tx.selectAll(ctx, &rows, `SELECT `+requestColumns+` FROM referral_requests
		WHERE returnee_id = $1 AND status = 'ready' ORDER BY id DESC LIMIT 1`, returnee)
	if err != nil || len(rows) == 0 {
		return list, found, wrap("read unlocks", err)
	}
	request, err := tx.whole(ctx, rows[0])
	if err != nil {
		return list, found, err
	}
	found.RequestID = request.ID
	if request.ReadyAt != nil {
		found.ReadyAt = *request.ReadyAt
	}
	found.Unlocks = append(found.Unlocks, request.List.Unlocks...)
	return *request.List, found, nil
}

// CaseloadUnlocks lists what would bring the most onto the lists of the actor's caseload, from the heaviest: each person's
// latest list counts, of people with an active consent for matching. Kinds: only these; empty: all.
func (tx *Tx) CaseloadUnlocks(ctx context.Context, kinds []onward.ChangeKind, limit int) ([]onward.CaseloadUnlock, error) {
	if !tx.Actor.HandlesReturnees() {
		return nil, onward.Errorf(onward.EForbidden, "only counsellors and supervisors see what would help their caseload")
	}
	wanted := make([]string, len(kinds))
	for i, k := range kinds {
		wanted[i] = string(k)
	}
	var rows []struct {
		Kind      onward.ChangeKind `db:"kind"`
		What      pq.StringArray    `db:"what"`
		Label     string            `db:"label"`
		Returnees int               `db:"returnees"`
		Opens     int               `db:"opens"`
		Weight    float64           `db:"weight"`
	}
	err := tx.selectAll(ctx, &rows, `SELECT u.kind, u.what, max(u.label) AS label, count(DISTINCT u.returnee_id) AS returnees,
			sum(u.opens) AS opens, sum(u.weight) AS weight
		FROM unlocks u JOIN returnees r ON r.id = u.returnee_id
		WHERE (cardinality($1::text[]) = 0 OR u.kind = ANY ($1))
			AND u.request_id = (SELECT l.request_id FROM unlocks l WHERE l.returnee_id = u.returnee_id ORDER BY l.request_id DESC LIMIT 1)
			AND `+activeConsent("r", onward.ConsentMatching, "$2")+`
		GROUP BY u.kind, u.what ORDER BY weight DESC, u.kind, u.what LIMIT $3`, pq.Array(wanted), tx.store.Today().String(), limit)
	if err != nil {
		return nil, wrap("read unlocks of the caseload", err)
	}
	list := make([]onward.CaseloadUnlock, len(rows))
	for i, row := range rows {
		list[i] = onward.CaseloadUnlock{
			Change:    onward.Change{Kind: row.Kind, What: row.What, Label: row.Label},
			Returnees: row.Returnees, Opens: row.Opens, Weight: row.Weight,
		}
	}
	return list, nil
}
