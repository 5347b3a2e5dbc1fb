package store

import (
	"context"
	"time"

	"onward"
)

type emergencyRow struct {
	ID         onward.ID  `db:"id"`
	ReturneeID onward.ID  `db:"returnee_id"`
	UserID     onward.ID  `db:"user_id"`
	Reason     sealedText `db:"reason"`
	OpenedAt   time.Time  `db:"opened_at"`
	Until      time.Time  `db:"until"`
	EndedBy    onward.ID  `db:"ended_by"`
	ReviewedBy onward.ID  `db:"reviewed_by"`
	ReviewedAt *time.Time `db:"reviewed_at"`
	Justified  *bool      `db:"justified"`
	Note       sealedText `db:"note"`
}

func emergencyPlace(id onward.ID, field string) string {
	return fieldOf("emergency_accesses", id.String(), field)
}

// emergencyAccesses are those that a condition finds, with what was written of them.
func (tx *Tx) emergencyAccesses(ctx context.Context, condition string, args ...any) ([]onward.EmergencyAccess, error) {
	var rows []emergencyRow
	if err := tx.selectAll(ctx, &rows, `SELECT id, returnee_id, user_id, reason, opened_at, until, ended_by, reviewed_by, reviewed_at, justified, note FROM emergency_accesses `+condition, args...); err != nil {
		return nil, wrap("read emergency access", err)
	}
	list, texts := make([]onward.EmergencyAccess, len(rows)), make([]text, 0, 2*len(rows))
	for i, r := range rows {
		list[i] = onward.EmergencyAccess{
			ID: r.ID, ReturneeID: r.ReturneeID, UserID: r.UserID, OpenedAt: r.OpenedAt, Until: r.Until, Open: r.Until.After(tx.now),
			EndedBy: r.EndedBy, ReviewedBy: r.ReviewedBy, ReviewedAt: r.ReviewedAt, Justified: r.Justified,
		}
		texts = append(texts, text{r.ReturneeID, emergencyPlace(r.ID, "reason"), r.Reason, &list[i].Reason}, text{r.ReturneeID, emergencyPlace(r.ID, "note"), r.Note, &list[i].Note})
	}
	return list, wrap("read emergency access", tx.openTexts(ctx, texts))
}
