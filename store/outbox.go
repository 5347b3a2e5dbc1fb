package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lib/pq"

	"onward"
)

// promise writes one row into the outbox: the work is done after this transaction commits, and only then.
func (tx *Tx) promise(ctx context.Context, kind onward.WorkKind, refs ...onward.Ref) error {
	payload, err := json.Marshal(refs)
	if err != nil {
		return fmt.Errorf("promise %s: %w", kind, err)
	}
	_, err = tx.exec(ctx, `INSERT INTO outbox (kind, payload) VALUES ($1, $2)`, kind, string(payload))
	return wrap("promise "+string(kind), err)
}

// ClaimWork marks up to limit promises as dispatched and returns them: with stale 0 those never dispatched, else those
// dispatched longer than stale ago (doubled with each attempt, up to 128 times), whose task the queue may have lost.
// Promises that another dispatcher is claiming are skipped.
func (s *Store) ClaimWork(ctx context.Context, limit int, stale time.Duration) ([]onward.Work, error) {
	var rows []struct {
		ID       int64           `db:"id"`
		Kind     onward.WorkKind `db:"kind"`
		Payload  []byte          `db:"payload"`
		Attempts int             `db:"attempts"`
	}
	err := s.InTx(ctx, onward.System(), func(tx *Tx) error {
		// A mark that is lost in a crash means that the work is dispatched twice, which is harmless.
		if _, err := tx.exec(ctx, `SET LOCAL synchronous_commit = off`); err != nil {
			return err
		}
		rows = nil
		// ARRAY() runs its subselect once; under IN, the planner may run it again and claim more than the limit.
		if stale == 0 {
			return tx.selectAll(ctx, &rows, `UPDATE outbox SET dispatched_at = now(), attempts = attempts + 1 WHERE id = ANY(ARRAY(
					SELECT id FROM outbox WHERE dispatched_at IS NULL ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED))
				RETURNING id, kind, payload, attempts`, limit)
		}
		return tx.selectAll(ctx, &rows, `UPDATE outbox SET dispatched_at = now(), attempts = attempts + 1 WHERE id IN (
				SELECT id FROM outbox WHERE dispatched_at < now() - make_interval(secs => $2 * 2 ^ least(attempts - 1, 7)) ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
			RETURNING id, kind, payload, attempts`, limit, stale.Seconds())
	})
	if err != nil {
		return nil, wrap("claim work", err)
	}
	works := make([]onward.Work, 0, len(rows))
	for _, row := range rows {
		work := onward.Work{ID: row.ID, Kind: row.Kind, Attempt: row.Attempts}
		if err := json.Unmarshal(row.Payload, &work.Refs); err != nil {
			return nil, fmt.Errorf("claim work %d: %w", row.ID, err)
		}
		works = append(works, work)
	}
	return works, nil
}

// ReturnWork takes a claim back, when the queue did not take the task.
func (s *Store) ReturnWork(ctx context.Context, ids []int64) error {
	err := s.InTx(ctx, onward.System(), func(tx *Tx) error {
		_, err := tx.exec(ctx, `UPDATE outbox SET dispatched_at = NULL, attempts = attempts - 1 WHERE id = ANY($1)`, pq.Array(ids))
		return err
	})
	return wrap("return work", err)
}

// FinishWork deletes a promise that is fulfilled. Finishing twice is harmless.
func (s *Store) FinishWork(ctx context.Context, id int64) error {
	err := s.InTx(ctx, onward.System(), func(tx *Tx) error { return tx.finishWork(ctx, id) })
	return wrap("finish work", err)
}

func (tx *Tx) finishWork(ctx context.Context, id int64) error {
	_, err := tx.exec(ctx, `DELETE FROM outbox WHERE id = $1`, id)
	return err
}

// OutboxState is how much promised work there is.
type OutboxState struct {
	Waiting          int     `db:"waiting" json:"waiting"`
	Dispatched       int     `db:"dispatched" json:"dispatched"`
	Troubled         int     `db:"troubled" json:"troubled"` // dispatched more than twice
	OldestAgeSeconds float64 `db:"oldest" json:"oldest_age_seconds"`
}

// Outbox counts the promised work.
func (s *Store) Outbox(ctx context.Context) (OutboxState, error) {
	var state OutboxState
	err := s.InTx(ctx, onward.System(), func(tx *Tx) error {
		return tx.get(ctx, &state, `SELECT count(*) FILTER (WHERE dispatched_at IS NULL) AS waiting,
			count(*) FILTER (WHERE dispatched_at IS NOT NULL) AS dispatched,
			count(*) FILTER (WHERE attempts > 2) AS troubled,
			coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest FROM outbox`)
	})
	return state, wrap("count outbox", err)
}
