package sentences

import (
	"math"

	"onward"
)

// Variety says why a line stands below openings that score less; empty when it is the best of its organisation.
func (w *Writer) Variety(line onward.RankedReferral) string {
	if better := betterOfTheSame(line.Variety); better > 0 {
		return w.count("variety", better, nil)
	}
	return ""
}

// betterOfTheSame turns variety back into how many openings of the same organisation score higher.
func betterOfTheSame(variety float64) int {
	if !(variety > 0 && variety < 1) {
		return 0
	}
	return int(math.Round(math.Log(variety) / math.Log(onward.VarietyFactor)))
}

func (w *Writer) counterfactual(from int, c onward.Counterfactual) string {
	what := c.Change.Label
	if c.Change.Kind == onward.ChangeSkill {
		what = w.quoted(what)
	}
	return w.say("changed."+string(c.Change.Kind), blanks{"Rank": c.Rank, "From": from, "What": what})
}

func (w *Writer) nearMiss(miss *onward.NearMiss) {
	miss.Evidence = w.Evidence(miss.Facts)
	miss.Sentence = w.say("changed.near_miss", blanks{"Rank": miss.WouldRank, "What": w.missing(miss.Missing)})
	if miss.AlsoOpens > 0 {
		miss.Sentence += " " + w.count("changed.also", miss.AlsoOpens, nil)
	}
}

// Unlock says what one change would bring onto a list.
func (w *Writer) Unlock(u onward.Unlock) string {
	return w.count("unlocks."+kindOf(u.Change), u.Opens, blanks{"What": w.what(u.Change), "Rank": u.BestRank})
}

// CaseloadUnlock says what one change would bring onto many lists.
func (w *Writer) CaseloadUnlock(u onward.CaseloadUnlock) string {
	return w.count("caseload."+kindOf(u.Change), u.Returnees, blanks{"What": w.what(u.Change), "Opens": u.Opens})
}

// kindOf is how a change is spoken of: documents and levels of languages alike.
func kindOf(c onward.Change) string {
	if c.Kind == onward.ChangeLanguage {
		return string(onward.ChangeDocument)
	}
	return string(c.Kind)
}

func (w *Writer) what(c onward.Change) string {
	if kindOf(c) == string(onward.ChangeDocument) {
		return sentenceCase(w.missing(c.What))
	}
	return w.quoted(c.Label)
}
