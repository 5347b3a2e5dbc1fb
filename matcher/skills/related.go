package skills

import (
	"cmp"
	"math"
	"slices"
	"sync/atomic"
)

// How near another skill is, by what ties the two together. Of the ties by structure the highest counts; being needed
// together adds to it as an independent reason: 1 - (1 - structure) (1 - together). The order of the constants is judgement,
// their size was revised by `onward evaluate relatedness` (docs/decisions/0008-linking.md).
const (
	// sameValue: the skill itself, or the same concept in another release.
	sameValue = 1.0
	// BroaderValue: who does the special case shows a good part of the general skill.
	BroaderValue = 0.7
	// narrowerValue: who does the general thing still has to learn the special case. The one asymmetric pair. A general
	// skill with many special cases says less of each: x sqrt(6 / number of them).
	narrowerValue = 0.5
	fewNarrower   = 6
	// supportsValue: ESCO's skill-skill relations ("is essential or optional to"), taken both ways.
	supportsValue = 0.4
	// groupValue: two skills under the same narrow group, and nothing else in common. A group of more than largestGroup
	// members says too little ("use hand tools" has dozens of unlike ones).
	groupValue   = 0.2
	largestGroup = 12
	// togetherValue x cosine: skills that the same occupations can't do without. cosine = |A and B| / sqrt((|A|+2)(|B|+2))
	// over the sets of occupations; the 2 keeps one shared occupation from counting as proof.
	togetherValue  = 0.8
	togetherShrink = 2
	// leastRelated: what is below is left out, which keeps the lists short (12 skills of a person spread to about 120-150)
	// and, being no cut of one skill's own list, symmetric.
	leastRelated = 0.16
)

// Related is a skill with its nearness to another, 0 to 1.
type Related struct {
	SkillID string
	Value   float64
}

// Related lists the skills that a person who has this one can be credited with, at what value: itself first (1), its
// twins in other releases (1), then what is nearest, and their twins. It is symmetric but for broader (0.7) and narrower
// (0.5 at most). Nil for an unknown skill. The slice is shared: don't change it.
//
// A list is worked out when first asked for and kept, so that loading a full ESCO costs nothing for it.
func (t *Taxonomy) Related(skillID string) []Related {
	i, ok := t.index[skillID]
	if !ok || !t.isSkill(i) {
		return nil
	}
	if known := t.near[i].Load(); known != nil {
		return *known
	}
	list := t.relate(i)
	t.near[i].Store(&list) // two goroutines may both do this: they store the same
	return list
}

func (t *Taxonomy) prepareRelated() {
	n := len(t.concepts)
	t.near = make([]atomic.Pointer[[]Related], n)
	t.scratch.New = func() any {
		return &workspace{structure: make([]float64, n), cosine: make([]float64, n), shared: make([]int32, n)}
	}
}

// workspace is what one computation needs, by concept; it is clean between uses.
type workspace struct {
	structure []float64 // the highest value by structure
	cosine    []float64 // how often needed together
	touched   []int32   // where one of the two is not 0
	shared    []int32   // occupations in common
	counted   []int32   // where shared is not 0
}

func (w *workspace) raise(values []float64, concept int32, value float64) {
	if w.structure[concept] == 0 && w.cosine[concept] == 0 {
		w.touched = append(w.touched, concept)
	}
	values[concept] = math.Max(values[concept], value)
}

func (w *workspace) value(concept int32) float64 {
	return 1 - (1-w.structure[concept])*(1-togetherValue*w.cosine[concept])
}

func (w *workspace) clean() {
	for _, c := range w.touched {
		w.structure[c], w.cosine[c] = 0, 0
	}
	w.touched = w.touched[:0]
}

func (t *Taxonomy) relate(skill int32) []Related {
	w := t.scratch.Get().(*workspace) //nolint:forcetypeassert // the pool holds nothing else
	defer t.scratch.Put(w)
	t.gather(w, skill)
	for _, twin := range t.exact.of(skill) {
		t.gather(w, twin) // what is near the same concept in another release is near this one
	}
	defer w.clean()

	same := append([]int32{skill}, t.exact.of(skill)...)
	var neighbours []int32
	for _, c := range w.touched {
		if t.isSkill(c) && w.value(c) >= leastRelated && !slices.Contains(same, c) {
			neighbours = append(neighbours, c)
		}
	}
	slices.SortFunc(neighbours, func(a, b int32) int {
		return cmp.Or(cmp.Compare(w.value(b), w.value(a)), cmp.Compare(a, b))
	})

	list := make([]Related, 0, len(same)+len(neighbours))
	for _, c := range same {
		if t.isSkill(c) {
			list = append(list, Related{t.concepts[c].id, sameValue})
		}
	}
	listed := slices.Concat(same, neighbours)
	for _, c := range neighbours {
		value := w.value(c)
		list = append(list, Related{t.concepts[c].id, value})
		for _, twin := range t.exact.of(c) {
			if t.isSkill(twin) && !slices.Contains(listed, twin) {
				listed = append(listed, twin)
				list = append(list, Related{t.concepts[twin].id, math.Max(value, w.value(twin))})
			}
		}
	}
	return list
}

// gather raises the value of everything that is tied to a skill.
func (t *Taxonomy) gather(w *workspace, skill int32) {
	occupations := t.essentialIn.of(skill)
	for _, o := range occupations {
		for _, s := range t.essential.of(o) {
			if w.shared[s] == 0 {
				w.counted = append(w.counted, s)
			}
			w.shared[s]++
		}
	}
	for _, parent := range t.broader.of(skill) {
		w.raise(w.structure, parent, BroaderValue)
		siblings := t.narrower.of(parent)
		if len(siblings) > largestGroup {
			continue
		}
		for _, s := range siblings {
			w.raise(w.structure, s, groupValue)
		}
	}
	special := t.narrower.of(skill)
	each := narrowerValue * math.Min(1, math.Sqrt(fewNarrower/float64(max(1, len(special)))))
	for _, s := range special {
		w.raise(w.structure, s, each)
	}
	for _, s := range t.supports.of(skill) {
		w.raise(w.structure, s, supportsValue)
	}
	for _, s := range w.counted {
		mine, theirs := float64(len(occupations)+togetherShrink), float64(len(t.essentialIn.of(s))+togetherShrink)
		w.raise(w.cosine, s, float64(w.shared[s])/math.Sqrt(mine*theirs))
		w.shared[s] = 0
	}
	w.counted = w.counted[:0]
}
