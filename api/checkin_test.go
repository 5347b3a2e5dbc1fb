package api_test

import (
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"onward"
)

// onCheckIn is the check-in of the first day of a placement.
func (s *system) onCheckIn(path string) func(who, n string) (string, int64) {
	return func(who, n string) (string, int64) {
		s.t.Helper()
		_, id, _ := placed(s, s.moved(s.sent(who, n), "accept", ""))
		for _, task := range []func() (int, error){
			func() (int, error) { return s.store.PlanCheckIns(s.t.Context()) }, func() (int, error) { return s.store.CallCheckIns(s.t.Context()) },
		} {
			if _, err := task(); err != nil {
				s.t.Fatal(err)
			}
		}
		list := decode[struct{ Items []onward.CheckIn }](s.get(s.counsellor, "/v1/check-ins?placement_id="+id.String()).want(200)).Items
		if len(list) == 0 {
			s.t.Fatal("no check-in is planned")
		}
		return fmt.Sprintf(path, list[0].ID), list[0].Version
	}
}

// tried adds tries of three weeks ago, two weeks ago and now.
func (s *system) tried(at func(who, n string) (string, int64)) func(who, n string) (string, int64) {
	return func(who, n string) (string, int64) {
		path, version := at(who, n)
		var id onward.ID
		if err := id.UnmarshalText([]byte(path[len("check-ins/") : len("check-ins/")+36])); err != nil {
			s.t.Fatal(err)
		}
		db, err := sqlx.ConnectContext(s.t.Context(), "postgres", s.adminDSN)
		if err != nil {
			s.t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		for _, weeks := range []int{3, 2, 0} {
			if _, err := db.ExecContext(s.t.Context(), `INSERT INTO check_in_attempts (check_in_id, organisation_id, at, channel, outcome, alternate, note) VALUES ($1, $2, $3, 'call', 'no_answer', false, '')`,
				id, s.agency.ID, time.Now().AddDate(0, 0, -7*weeks)); err != nil {
				s.t.Fatal(err)
			}
		}
		return path, version
	}
}
