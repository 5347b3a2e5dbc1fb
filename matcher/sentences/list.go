package sentences

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"onward"
)

// mostNamed is how many skills or places a sentence names; the rest is counted.
const mostNamed = 4

// List writes all that a list has in words: evidence, sentences, counterfactuals and unlocks. What stood there before is
// replaced. Labels stay as they are.
func (w *Writer) List(list *onward.RankedList) {
	list.Language = w.language
	list.Destination.Note = w.Basis(list.Destination)
	for i := range list.Referrals {
		w.line(&list.Referrals[i])
	}
	for i := range list.NearMisses {
		w.nearMiss(&list.NearMisses[i])
	}
	if q := list.Question; q != nil {
		q.Sentence = ""
		if q.WorthAsking {
			q.Sentence = w.say("question", blanks{"Percent": w.percent(q.Gain), "Changes": strconv.FormatFloat(math.Max(1, math.Round(q.Changes)), 'f', 0, 64), "Of": q.Of})
		}
	}
	for i := range list.Unlocks {
		u := &list.Unlocks[i]
		u.Sentence = w.Unlock(*u)
	}
}

func (w *Writer) line(line *onward.RankedReferral) {
	e := &line.Explanation
	for i := range e.Gates {
		e.Gates[i].Evidence = w.Evidence(e.Gates[i].Facts)
	}
	for i := range line.Counterfactuals {
		c := &line.Counterfactuals[i]
		c.Sentence = w.counterfactual(line.Rank, *c)
	}
	e.Sentences = w.Explain(*line)
}

// Explain says why an opening stands where it does: skills, reach, terms, and what to ask.
func (w *Writer) Explain(line onward.RankedReferral) []string {
	e := line.Explanation
	said := w.skills(e)
	said = append(said, w.reach(line)...)
	said = append(said, w.terms(e.TermParts)...)
	if moved := w.Variety(line); moved != "" {
		said = append(said, moved)
	}
	if ask := w.questions(e.Gates); ask != "" {
		said = append(said, ask)
	}
	return said
}

func (w *Writer) skills(e onward.Explanation) []string {
	if len(e.Skills) == 0 {
		return []string{w.say("skills.unknown", nil)}
	}
	var has, near, lacking []string
	neutral := true // for everything alike: nobody knows what the person can do
	for _, p := range e.Skills {
		neutral = neutral && p.Strength > 0 && p.Related == 0
		switch {
		case p.Strength <= 0 && p.Essential:
			lacking = append(lacking, w.say("skills.essential", blanks{"Skill": p.Label}))
		case p.Strength <= 0:
			lacking = append(lacking, p.Label)
		case p.Via != "":
			near = append(near, w.say("skills.via", blanks{"Skill": p.Label, "Via": cmp.Or(p.ViaLabel, p.Via)}))
		default:
			has = append(has, p.Label)
		}
	}
	if neutral {
		return []string{w.say("skills.person_unknown", nil)}
	}
	var said []string
	if covered := len(has) + len(near); covered == 0 {
		said = append(said, w.say("skills.none_covered", blanks{"Count": len(e.Skills)}))
	} else if len(has) > 0 {
		said = append(said, w.say("skills.covered", blanks{"Has": len(has), "Count": len(e.Skills), "List": w.some(has)}))
	}
	if len(near) > 0 {
		said = append(said, w.say("skills.near", blanks{"List": w.some(near)}))
	}
	if len(lacking) > 0 {
		said = append(said, w.say("skills.lacking", blanks{"List": w.some(lacking)}))
	}
	if e.SkillBasis == onward.SkillsFromOccupation {
		said = append(said, w.say("skills.by_occupation", nil))
	}
	return said
}

// some names the first few and counts the rest.
func (w *Writer) some(items []string) string {
	if rest := len(items) - mostNamed; rest > 1 {
		named := items[0]
		for _, item := range items[1:mostNamed] {
			named += w.say("comma", nil) + item
		}
		return named + " " + w.count("skills.more", rest, nil)
	}
	return w.list(items)
}

func (w *Writer) reach(line onward.RankedReferral) []string {
	var said []string
	if line.Opportunity.Remote {
		return append(said, w.say("reach.remote", nil))
	}
	parts := slices.Clone(line.Explanation.ReachParts)
	slices.SortStableFunc(parts, func(a, b onward.ReachPart) int { return cmp.Compare(b.Probability*b.Access, a.Probability*a.Access) })
	var places []string
	for _, p := range parts {
		if share := p.Probability * p.Access; share >= 0.005 && len(places) < mostNamed {
			places = append(places, w.say("reach.place", blanks{"Place": w.place(p.Place), "Percent": w.percent(share)}))
		}
	}
	if len(places) == 0 {
		said = append(said, w.say("reach.none", nil))
	} else {
		said = append(said, w.say("reach.likely", blanks{"Percent": w.percent(line.Reach), "List": w.list(places)}))
	}
	if line.Opportunity.Assisted {
		said = append(said, w.say("reach.assisted", nil))
	}
	if line.Robust {
		said = append(said, w.say("reach.robust", nil))
	}
	return said
}

// Terms from which something is said, and below which.
const (
	full     = 0.995
	stale    = 0.8
	quiet    = 0.7
	flexible = 0.5 // childcare: between flexible hours and nothing
)

func (w *Writer) terms(parts []onward.TermPart) []string {
	var said, unknown []string
	add := func(id string, fill blanks) { said = append(said, w.say("terms."+id, fill)) }
	for _, p := range parts {
		if p.Value == nil {
			unknown = append(unknown, w.say("terms.names."+p.Term, nil))
			continue
		}
		value := *p.Value
		switch {
		case p.Term == "wage" && value >= full:
			add("wage_met", nil)
		case p.Term == "wage":
			add("wage_below", blanks{"Percent": w.percent(value)})
		case p.Term == "hours" && value < full:
			add("hours_above", nil)
		case p.Term == "childcare" && value >= full:
			add("childcare_offered", nil)
		case p.Term == "childcare" && value >= flexible:
			add("childcare_flexible", nil)
		case p.Term == "childcare":
			add("childcare_missing", nil)
		case p.Term == "kind" && value >= full:
			add("kind_wanted", nil)
		case p.Term == "kind":
			add("kind_other", nil)
		case p.Term == "start" && value < full:
			add("start_early", nil)
		case p.Term == "freshness" && value < stale:
			add("old_posting", nil)
		case p.Term == "replies" && value < quiet:
			add("replies", blanks{"Percent": w.percent(value)})
		}
	}
	if len(unknown) > 0 {
		add("unknown", blanks{"List": w.list(unknown)})
	}
	return said
}
