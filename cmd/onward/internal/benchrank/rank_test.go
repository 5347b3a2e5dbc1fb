package benchrank_test

import (
	"testing"

	"onward/cmd/onward/internal/benchrank"
	"onward/internal/reference"
	"onward/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func TestOneStatementRanksTheSame(t *testing.T) {
	t.Parallel()
	release, err := reference.Starter()
	if err != nil {
		t.Fatal(err)
	}
	sql, err := benchrank.NewPostgres(t.Context(), testenv.Postgres(t).AdminDSN)
	if err != nil {
		t.Fatal(err)
	}
	r, err := benchrank.Rank(t.Context(), release, benchrank.RankOptions{Opportunities: 3_000, Queries: 20, Seed: 3, SQL: sql, Progress: func(string) {}})
	if err != nil || r.SQLAgrees != 1 || !(r.SQL.P50 > 0) {
		t.Errorf("%+v, %v", r, err)
	}
	if err := sql.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheBenchmarksRankExactly(t *testing.T) {
	t.Parallel()
	release, err := reference.Starter()
	if err != nil {
		t.Fatal(err)
	}
	o := benchrank.RankOptions{Opportunities: 12_000, Queries: 30, Seed: 7, Progress: func(string) {}}
	r, err := benchrank.Rank(t.Context(), release, o)
	if err != nil || r.Checked != 5 || !(r.BytesEach > 0) || !(r.Skills > 12) || !(r.Places > 1) || !(r.UpdatesEach > 0) {
		t.Errorf("%+v, %v", r, err)
	}
	b, err := benchrank.Batch(t.Context(), release, 40, o)
	if err != nil || b.Checked != 5 || b.Returnees != 40 {
		t.Errorf("%+v, %v", b, err)
	}
}
