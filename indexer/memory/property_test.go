package memory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"onward"
	"onward/indexer"
	"onward/indexer/indextest"
	"onward/matcher"
)

// TestTheBestAreThoseOfBruteForceWhateverWasPutReplacedAndDeletedBefore puts, replaces, deletes and rebuilds at random, and
// asks in between.
func TestTheBestAreThoseOfBruteForceWhateverWasPutReplacedAndDeletedBefore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &indexModel{
			index: New(), world: indextest.NewWorld(rapid.Uint64Range(1, 8).Draw(t, "world")),
			open: map[onward.ID]indexer.Entry{}, seen: map[onward.ID]int64{},
		}
		t.Repeat(map[string]func(*rapid.T){
			"put":     m.put,
			"replace": m.replace,
			"delete":  m.delete,
			"rebuild": m.rebuild,
			"rank":    m.rank,
			"":        m.count,
		})
		m.rank(t)
	})
}

// indexModel is an index with what it should hold.
type indexModel struct {
	index *Index
	world *indextest.World
	open  map[onward.ID]indexer.Entry
	seen  map[onward.ID]int64 // highest version put or deleted
}

// some draws a few of the ids heard of.
func (m *indexModel) some(t *rapid.T) []onward.ID {
	if len(m.seen) == 0 {
		t.Skip("nothing yet")
	}
	ids := slices.SortedFunc(maps.Keys(m.seen), func(a, b onward.ID) int { return cmp.Compare(a.String(), b.String()) })
	return rapid.SliceOfN(rapid.SampledFrom(ids), 1, max(1, len(ids)/3)).Draw(t, "ids")
}

func (m *indexModel) write(t *rapid.T, entries []indexer.Entry) {
	if err := m.index.Put(context.Background(), entries); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if version, ok := m.seen[e.ID]; !ok || e.Version > version {
			m.seen[e.ID], m.open[e.ID] = e.Version, e
		}
	}
}

func (m *indexModel) put(t *rapid.T) {
	m.write(t, m.world.Entries(rapid.SampledFrom([]int{1, 3, 120}).Draw(t, "openings")))
}

func (m *indexModel) replace(t *rapid.T) {
	var entries []indexer.Entry
	for _, id := range m.some(t) {
		e := m.world.Entries(1)[0]
		e.ID, e.Version = id, m.seen[id]+rapid.Int64Range(-1, 2).Draw(t, "versions ahead")
		entries = append(entries, e)
	}
	m.write(t, entries)
}

func (m *indexModel) delete(t *rapid.T) {
	var refs []indexer.Ref
	for _, id := range m.some(t) {
		ref := indexer.Ref{ID: id, Version: m.seen[id] + rapid.Int64Range(-1, 2).Draw(t, "versions ahead")}
		refs = append(refs, ref)
		if ref.Version > m.seen[id] {
			m.seen[id] = ref.Version
			delete(m.open, id)
		}
	}
	if err := m.index.Delete(context.Background(), refs); err != nil {
		t.Fatal(err)
	}
}

func (m *indexModel) rebuild(t *rapid.T) {
	err := m.index.Rebuild(context.Background(), func(put func([]indexer.Entry) error) error {
		return put(slices.Collect(maps.Values(m.open)))
	})
	if err != nil {
		t.Fatal(err)
	}
	clear(m.seen) // a rebuilt index has seen what is in it
	for id := range m.open {
		m.seen[id] = m.open[id].Version
	}
}

func (m *indexModel) count(t *rapid.T) {
	if n, err := m.index.Count(context.Background()); err != nil || n != len(m.open) {
		t.Fatalf("%d openings are counted, want %d (%v)", n, len(m.open), err)
	}
}

func (m *indexModel) rank(t *rapid.T) {
	q := m.world.Filtered(m.world.Query(rapid.IntRange(1, 150).Draw(t, "skills"), rapid.IntRange(1, 40).Draw(t, "places")))
	hits, err := m.index.Rank(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	if err := same(hits, indextest.BruteForce(slices.Collect(maps.Values(m.open)), q), q.Limit); err != nil {
		t.Fatal(err)
	}
}

// same compares an answer with that of brute force, of which the first ones should be in it. Openings whose scores differ
// by rounding alone may stand in either order.
func same(got, want []indexer.Hit, limit int) error {
	const rounding = 1e-12
	if n := min(len(want), limit); len(got) != n {
		return fmt.Errorf("got %d hits, want %d", len(got), n)
	}
	own := map[onward.ID]float64{}
	for _, hit := range want {
		own[hit.Opening.ID] = hit.Score
	}
	for i, hit := range got {
		if math.Abs(hit.Score-want[i].Score) > rounding || math.Abs(hit.Score-own[hit.Opening.ID]) > rounding {
			return fmt.Errorf("hit %d is %s with %v (its own score: %v), want %s with %v",
				i, hit.Opening.ID, hit.Score, own[hit.Opening.ID], want[i].Opening.ID, want[i].Score)
		}
		if i > 0 && (hit.Score > got[i-1].Score || hit.Score == got[i-1].Score && hit.Opening.ID.String() <= got[i-1].Opening.ID.String()) {
			return fmt.Errorf("hits %d and %d stand in the wrong order", i-1, i)
		}
		delete(own, hit.Opening.ID) // each once
	}
	return nil
}

// Openings name more skills and weights than two bytes can number, and some name a skill twice.
func TestManySkillsOfManyWeightsAndSkillsNamedTwice(t *testing.T) {
	t.Parallel()
	world := indextest.NewWorld(5)
	var all []indexer.Entry
	for i := range 3000 {
		e := world.Entries(1)[0]
		if e.SkillBasis == onward.SkillsNone {
			continue
		}
		for j := range 25 {
			e.Skills = append(e.Skills, matcher.OpeningSkill{SkillID: fmt.Sprint("rare-", i, "-", j), Essential: true, Weight: 1})
		}
		first := e.Skills[0]
		first.Weight *= 1 + float64(i%7)
		e.Skills = append(e.Skills, first, first, matcher.OpeningSkill{SkillID: first.SkillID, Essential: !first.Essential, Weight: 1})
		all = append(all, e)
	}
	ix := New()
	for batch := range slices.Chunk(all, 700) {
		if err := ix.Put(context.Background(), batch); err != nil {
			t.Fatal(err)
		}
	}
	err := ix.Rebuild(context.Background(), func(put func([]indexer.Entry) error) error { return put(all) })
	if err != nil {
		t.Fatal(err)
	}
	if s := ix.present.Load().all()[0].segment; s.skills.wide == nil {
		t.Fatalf("%d skills with weights: not enough to test wide numbers", len(s.weighted))
	}
	for i := range 20 {
		q := world.Query(100, 20)
		for j := range 25 {
			q.Skills = append(q.Skills, matcher.QuerySkill{SkillID: fmt.Sprint("rare-", i*40, "-", j), Essential: 1, Optional: 0.3})
		}
		hits, err := ix.Rank(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		if err := same(hits, indextest.BruteForce(all, q), q.Limit); err != nil {
			t.Fatal(err)
		}
	}
}
