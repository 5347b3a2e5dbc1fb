package benchrank_test

import (
	"testing"

	"onward/cmd/onward/internal/benchrank"
	"onward/internal/reference"
)

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
