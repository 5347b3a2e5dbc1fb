package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"
	"golang.org/x/sync/errgroup"

	"onward"
)

// mayFigure is EForbidden for roles that see no figures.
func mayFigure(actor onward.Actor) error {
	switch actor.Role {
	case onward.RoleAnalyst, onward.RoleSupervisor, onward.RoleAdministrator, onward.RoleSystem:
		return nil
	case onward.RoleCounsellor, onward.RoleEmployer, onward.RolePartner:
	}
	return onward.Errorf(onward.EForbidden, "only analysts, supervisors and administrators see figures of the programme")
}

// stageOf is what became of a referral: each is in one stage.
func stageOf(status onward.ReferralStatus, outcome onward.PlacementOutcome) string {
	switch {
	case outcome == onward.OutcomeEnded:
		return "early"
	case outcome == onward.OutcomeLost, outcome == onward.OutcomeMovedOn, outcome == onward.OutcomeLasting:
		return string(outcome)
	case outcome != "":
		return "other"
	}
	switch status {
	case onward.ReferralPlaced:
		return "placed"
	case onward.ReferralRequested, onward.ReferralAccepted, onward.ReferralOnHold, onward.ReferralInProgress:
		return "waiting"
	case onward.ReferralDeclined, onward.ReferralExpired:
		return "refused"
	default:
		return "dropped"
	}
}

// Figures are what the actor's organisation publishes of its referrals and placements, made by publish from what is counted. Once there
// is something to publish it is kept, and the same for everybody until the month is over. The system may name an organisation, or none
// for all.
func (s *Store) Figures(ctx context.Context, actor onward.Actor, organisation onward.ID, publish func(onward.FigureCounts) onward.Figures) (f onward.Figures, err error) {
	if err := mayFigure(actor); err != nil {
		return f, err
	}
	if actor.Role != onward.RoleSystem {
		organisation = actor.OrganisationID
	}
	kept, err := s.keptFigures(ctx, organisation)
	if err != nil || kept != nil {
		return figuresOf(kept, err)
	}
	// No transaction is held while others count: they need connections of their own. Of two processes that count at once the first publishes.
	counted, err, _ := s.counting.Do(organisation.String(), func() (any, error) {
		ctx := context.WithoutCancel(ctx) // others wait for it as well; statements have a time limit of their own
		if kept, err := s.keptFigures(ctx, organisation); err != nil || kept != nil {
			return kept, err
		}
		counts, err := s.figureCounts(ctx, organisation)
		if err != nil {
			return nil, err
		}
		f := publish(counts)
		if !f.Published() {
			return &f, nil
		}
		body, err := json.Marshal(f)
		if err != nil {
			return nil, err
		}
		if err := s.InTx(ctx, onward.System(), func(tx *Tx) error {
			_, err := tx.exec(ctx, `INSERT INTO figures (organisation_id, month, body, counted_at) VALUES ($1, date_trunc('month', $2::date), $3, $4) ON CONFLICT DO NOTHING`,
				organisation, onward.DateOf(counts.At).String(), string(body), counts.At)
			return err
		}); err != nil {
			return nil, err
		}
		return s.keptFigures(ctx, organisation)
	})
	if err != nil {
		return f, wrap("count figures", err)
	}
	return figuresOf(counted.(*onward.Figures), nil)
}

func figuresOf(f *onward.Figures, err error) (onward.Figures, error) {
	if err != nil || f == nil {
		return onward.Figures{}, wrap("read figures", err)
	}
	return *f, nil
}

// keptFigures are those of this month; nil when there are none yet.
func (s *Store) keptFigures(ctx context.Context, organisation onward.ID) (f *onward.Figures, err error) {
	err = s.InTx(ctx, onward.System(), func(tx *Tx) error {
		f = nil
		var body []byte
		err := tx.get(ctx, &body, `SELECT body FROM figures WHERE organisation_id = $1 AND month = date_trunc('month', $2::date)`, organisation, tx.today().String())
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		f = &onward.Figures{}
		return json.Unmarshal(body, f)
	})
	return f, err
}

// figureCounts counts the referrals and placements of an organisation, zero for all. The database adds up; no row of a person leaves it.
// Referrals and placements are counted beside each other: each is one scan.
func (s *Store) figureCounts(ctx context.Context, organisation onward.ID) (c onward.FigureCounts, err error) {
	err = s.InTx(ctx, onward.System(), func(tx *Tx) (err error) {
		c.At = tx.now
		c.Key, err = tx.ownKey(ctx, "figures")
		return err
	})
	if err != nil {
		return c, err
	}
	var counting errgroup.Group
	for _, count := range []func(*Tx) error{
		func(tx *Tx) error { return tx.referralCounts(ctx, organisation, &c) },
		func(tx *Tx) (err error) { c.Spans, err = tx.spans(ctx, organisation); return err },
		func(tx *Tx) error { return tx.parityCounts(ctx, organisation, &c) },
	} {
		counting.Go(func() error {
			return s.InTx(ctx, onward.System(), func(tx *Tx) error {
				// With room for the groups they are hashed; else a million rows are sorted on disk, once for each grouping.
				if _, err := tx.exec(ctx, `SET LOCAL work_mem = '64MB'`); err != nil {
					return err
				}
				return count(tx)
			})
		})
	}
	return c, counting.Wait()
}

// firstQuarter is the first that figures tell apart.
var firstQuarter = time.Date(2015, time.January, 1, 0, 0, 0, 0, time.UTC)

// referralCounts counts referrals in one scan: by quarter and kind, by place, and by the hours from one state to the next. The quarter is
// found among their beginnings, which is quicker than date_trunc.
func (tx *Tx) referralCounts(ctx context.Context, organisation onward.ID, c *onward.FigureCounts) error {
	var quarters []time.Time
	for q := firstQuarter; !q.After(tx.now); q = q.AddDate(0, 3, 0) {
		quarters = append(quarters, q)
	}
	var rows []struct {
		What    string                  `db:"what"`
		Quarter int                     `db:"quarter"`
		Kind    string                  `db:"kind"`
		PlaceID int64                   `db:"place_id"`
		Status  onward.ReferralStatus   `db:"status"`
		Outcome onward.PlacementOutcome `db:"outcome"`
		Hours   int                     `db:"hours"`
		Count   int                     `db:"count"`
	}
	if err := tx.selectAll(ctx, &rows, `SELECT CASE WHEN grouping(kind) = 0 THEN 'kind' WHEN grouping(place_id) = 0 THEN 'place' WHEN grouping(answered) = 0 THEN 'answered' ELSE 'placed' END AS what,
			coalesce(quarter, 0) AS quarter, coalesce(kind, '') AS kind, coalesce(place_id, 0) AS place_id, coalesce(status, '') AS status, coalesce(outcome, '') AS outcome,
			coalesce(answered, placed, 0) AS hours, count(*) AS count
		FROM (SELECT width_bucket(sent_at, $2::timestamptz[]) AS quarter, kind, place_id, status, outcome, (date_part('epoch', answered_at - sent_at) / 3600)::integer AS answered,
				(date_part('epoch', placed_at - answered_at) / 3600)::integer AS placed
			FROM referrals WHERE sent_at IS NOT NULL AND ($1::uuid IS NULL OR organisation_id = $1)) r
		GROUP BY GROUPING SETS ((quarter, kind, status, outcome), (place_id, status, outcome), (answered), (placed))
		HAVING NOT (grouping(answered) = 0 AND answered IS NULL OR grouping(placed) = 0 AND placed IS NULL)
		ORDER BY what, hours`, nilIfZero(organisation), pq.Array(quarters)); err != nil {
		return err
	}
	var places []int64
	for _, r := range rows {
		if r.What == "place" && r.PlaceID != 0 {
			places = append(places, r.PlaceID)
		}
	}
	regions, err := tx.regions(ctx, places)
	if err != nil {
		return err
	}
	c.Kinds, c.Regions, c.Times = nil, nil, nil
	for _, r := range rows {
		switch r.What {
		case "kind":
			quarter := "before 2015"
			if r.Quarter > 0 {
				q := quarters[r.Quarter-1]
				quarter = fmt.Sprintf("%d-Q%d", q.Year(), 1+int(q.Month())/3)
			}
			c.Kinds = append(c.Kinds, onward.FunnelCount{Quarter: quarter, Of: r.Kind, Stage: stageOf(r.Status, r.Outcome), Count: r.Count})
		case "place":
			region := "remote"
			if r.PlaceID != 0 {
				region = regions[r.PlaceID]
			}
			c.Regions = append(c.Regions, onward.FunnelCount{Of: region, Stage: stageOf(r.Status, r.Outcome), Count: r.Count})
		case "answered":
			c.Times = append(c.Times, onward.TimeCount{From: "sent", To: "answered", Hours: r.Hours, Count: r.Count})
		default:
			c.Times = append(c.Times, onward.TimeCount{From: "answered", To: "placed", Hours: r.Hours, Count: r.Count})
		}
	}
	return nil
}

// regions are the names of the regions, or else the countries, of places.
func (tx *Tx) regions(ctx context.Context, places []int64) (map[int64]string, error) {
	var rows []struct {
		ID   int64  `db:"id"`
		Name string `db:"name"`
	}
	err := tx.selectAll(ctx, &rows, `SELECT id, coalesce(nullif(admin1_name, ''), country) AS name FROM places WHERE id = ANY($1)`, pq.Array(places))
	names := make(map[int64]string, len(rows))
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names, err
}

// spans counts placements by how long they lasted, or how long anything is known of them: to the day on which the person was last
// seen, a side confirmed, or it ended. Beyond a year nothing is told apart.
func (tx *Tx) spans(ctx context.Context, organisation onward.ID) ([]onward.SpanCount, error) {
	var rows []struct {
		onward.SpanCount
		EndReason onward.PlacementEnd `db:"end_reason"`
	}
	err := tx.selectAll(ctx, &rows, `SELECT kind, end_reason, least(366, greatest(0, CASE WHEN end_reason = 'unreachable' OR ended_on IS NULL
				THEN least($2::date, greatest(last_seen_on, organisation_said::date, returnee_said::date, started_on)) - started_on ELSE ended_on - started_on END)) AS days,
			(ARRAY[0, 30, 90, 180, 365])[1 + width_bucket($2::date - started_on, ARRAY[30, 90, 180, 365])] AS ago, count(*) AS count
		FROM placements WHERE $1::uuid IS NULL OR organisation_id = $1 GROUP BY 1, 2, 3, 4`, nilIfZero(organisation), tx.today().String())
	spans := make([]onward.SpanCount, len(rows))
	for i, r := range rows {
		spans[i] = r.SpanCount
		switch spans[i].How = "done"; {
		case r.EndReason == "" || r.EndReason == onward.EndUnreachable:
			spans[i].How = "open"
		case r.EndReason.Outcome() == onward.OutcomeEnded:
			spans[i].How = "ended"
		case r.EndReason.Outcome() == onward.OutcomeMovedOn:
			spans[i].How = "moved_on"
		}
	}
	return spans, err
}
