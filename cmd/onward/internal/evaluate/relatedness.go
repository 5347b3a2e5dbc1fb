package evaluate

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	"onward"
	"onward/internal/reference"
	"onward/matcher/skills"
)

// RelatednessFiles are what relatedness is measured on.
type RelatednessFiles struct {
	ESCO []string
	Seed uint64 // of what is hidden
}

// RelatednessResult says how much of what was hidden is found again among the first ten, by each way of looking: the mean
// over occupations of found / hidden.
type RelatednessResult struct {
	Occupations int     `json:"occupations"` // with two essential skills or more
	Hidden      int     `json:"hidden"`      // relations of an occupation to an essential skill: a quarter, at least one
	Related     float64 `json:"related"`     // sum of related(t, s) over the skills t that were left
	Nearest     float64 `json:"nearest"`     // the greatest related(t, s), as the score credits a person with one skill
	Popularity  float64 `json:"popularity"`  // in how many occupations the skill is essential
	Group       float64 `json:"group"`       // how many of the skills that were left share a group with it
	Neighbours  float64 `json:"neighbours"`  // of a skill, on average
	Most        int     `json:"most"`        // neighbours of one skill
	// OneSided is the share of neighbours that don't list the skill among theirs.
	OneSided float64 `json:"one_sided"`
}

// Print writes the figures for a person.
func (r RelatednessResult) Print(w io.Writer) {
	_, _ = fmt.Fprintf(w, "%d occupations, %d of their essential skills hidden. Recall@10: related %.4f (the nearest alone %.4f), popularity %.4f, same group %.4f. ",
		r.Occupations, r.Hidden, r.Related, r.Nearest, r.Popularity, r.Group)
	_, _ = fmt.Fprintf(w, "%.1f related skills a skill, %d at most, %.3f of them one-sided.\n", r.Neighbours, r.Most, r.OneSided)
}

// recallAt is how many of the first are looked at.
const recallAt = 10

// Relatedness hides a quarter of the essential skills of every occupation, builds the taxonomy from what is left, and
// looks for what was hidden. EInvalid when the release has no occupations with skills.
func Relatedness(ctx context.Context, files RelatednessFiles) (RelatednessResult, error) {
	release, err := reference.ReadESCO(ctx, files.ESCO, nil, reference.ESCOOptions{Release: "esco"})
	if err != nil {
		return RelatednessResult{}, err
	}
	return relatednessOf(ctx, release, files.Seed)
}

func relatednessOf(ctx context.Context, release onward.Taxonomy, seed uint64) (RelatednessResult, error) {
	var result RelatednessResult
	left, hidden := hideQuarter(release, seed)
	if len(hidden) == 0 {
		return result, onward.Errorf(onward.EInvalid, "no occupation of the release has two essential skills; give the zips with occupationSkillRelations")
	}
	taxonomy, err := skills.New(left)
	if err != nil {
		return result, err
	}
	ways := newWays(left, taxonomy)
	occupations := make([]string, 0, len(hidden))
	for o := range hidden {
		occupations = append(occupations, o)
	}
	slices.Sort(occupations) // sums of floats must not depend on the order of a map
	for _, o := range occupations {
		if err := ctx.Err(); err != nil {
			return result, err
		}
		known, _ := taxonomy.SkillsOf(o)
		result.Occupations++
		result.Hidden += len(hidden[o])
		for _, way := range []struct {
			recall *float64
			ranked []string
		}{
			{&result.Related, ranked(ways.related(known))},
			{&result.Nearest, ranked(ways.nearest(known))},
			{&result.Popularity, ways.popular},
			{&result.Group, ranked(ways.sameGroup(known))},
		} {
			*way.recall += recall(way.ranked, known, hidden[o])
		}
	}
	for _, v := range []*float64{&result.Related, &result.Nearest, &result.Popularity, &result.Group} {
		*v /= float64(result.Occupations)
	}
	result.measureShape(left, taxonomy)
	return result, nil
}

// hideQuarter takes a quarter of the essential skills of each occupation, at least one, out of a release. An occupation
// with a single one keeps it.
func hideQuarter(release onward.Taxonomy, seed uint64) (left onward.Taxonomy, hidden map[string]map[string]bool) {
	essential := map[string][]string{}
	for _, r := range release.Relations {
		if r.Kind == onward.RelationEssential {
			essential[r.From] = append(essential[r.From], r.To)
		}
	}
	occupations := make([]string, 0, len(essential))
	for o := range essential {
		occupations = append(occupations, o)
	}
	slices.Sort(occupations)
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // not for secrets: the same seed must hide the same
	hidden = map[string]map[string]bool{}
	for _, o := range occupations {
		slices.Sort(essential[o])
		list := slices.Compact(essential[o])
		if len(list) < 2 {
			continue
		}
		random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		hidden[o] = map[string]bool{}
		for _, s := range list[:max(1, (len(list)+2)/4)] {
			hidden[o][s] = true
		}
	}
	left = release
	left.Relations = slices.DeleteFunc(slices.Clone(release.Relations), func(r onward.Relation) bool {
		return hidden[r.From][r.To] // as essential, and where it stands as optional too
	})
	return left, hidden
}

// ways are the ways of guessing which other skills an occupation needs.
type ways struct {
	taxonomy *skills.Taxonomy
	popular  []string            // skills, the most popular first
	groups   map[string][]string // skill -> what is directly above it
	members  map[string][]string // and back, skills only
}

func newWays(release onward.Taxonomy, taxonomy *skills.Taxonomy) *ways {
	w := &ways{taxonomy: taxonomy, groups: map[string][]string{}, members: map[string][]string{}}
	popularity := map[string]float64{}
	for _, r := range release.Relations {
		switch {
		case r.Kind == onward.RelationEssential && taxonomy.HasSkill(r.To):
			popularity[r.To]++
		case r.Kind == onward.RelationBroader && taxonomy.HasSkill(r.From):
			w.groups[r.From] = append(w.groups[r.From], r.To)
			w.members[r.To] = append(w.members[r.To], r.From)
		}
	}
	w.popular = ranked(popularity)
	return w
}

func (w *ways) related(known []string) map[string]float64 {
	scores := map[string]float64{}
	for _, t := range known {
		for _, near := range w.taxonomy.Related(t) {
			scores[near.SkillID] += near.Value
		}
	}
	return scores
}

func (w *ways) nearest(known []string) map[string]float64 {
	scores := map[string]float64{}
	for _, t := range known {
		for _, near := range w.taxonomy.Related(t) {
			scores[near.SkillID] = max(scores[near.SkillID], near.Value)
		}
	}
	return scores
}

func (w *ways) sameGroup(known []string) map[string]float64 {
	scores := map[string]float64{}
	for _, t := range known {
		for _, group := range w.groups[t] {
			for _, s := range w.members[group] {
				scores[s]++
			}
		}
	}
	return scores
}

// ranked lists skills by falling score; of equal scores the lower id, which says nothing, comes first.
func ranked(scores map[string]float64) []string {
	list := make([]string, 0, len(scores))
	for s := range scores {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b)) })
	return list
}

// recall is the share of what was hidden among the first ten skills that are not known.
func recall(ranked, known []string, hidden map[string]bool) float64 {
	found, looked := 0, 0
	for _, s := range ranked {
		if looked == recallAt {
			break
		}
		if slices.Contains(known, s) {
			continue
		}
		looked++
		found += oneIf(hidden[s])
	}
	return float64(found) / float64(len(hidden))
}

// measureShape says how sparse and how symmetric relatedness is.
func (r *RelatednessResult) measureShape(release onward.Taxonomy, taxonomy *skills.Taxonomy) {
	type pair struct{ from, to string }
	pairs := map[pair]bool{}
	skillCount := 0
	for _, c := range release.Concepts {
		if !c.Kind.IsSkill() {
			continue
		}
		skillCount++
		list := taxonomy.Related(c.ID)
		r.Most = max(r.Most, len(list)-1)
		for _, near := range list[1:] {
			pairs[pair{c.ID, near.SkillID}] = true
		}
	}
	single := 0
	for p := range pairs {
		if !pairs[pair{p.to, p.from}] {
			single++
		}
	}
	r.Neighbours, r.OneSided = float64(len(pairs))/float64(max(1, skillCount)), float64(single)/float64(max(1, len(pairs)))
}
