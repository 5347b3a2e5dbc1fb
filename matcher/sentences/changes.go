package sentences

import (
	"math"

	"onward"
)

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
	id, what := "unlocks."+string(u.Change.Kind), w.quoted(u.Change.Label)
	if u.Change.Kind == onward.ChangeDocument || u.Change.Kind == onward.ChangeLanguage {
		id, what = "unlocks.document", sentenceCase(w.missing(u.Change.What))
	}
	return w.count(id, u.Opens, blanks{"What": what, "Rank": u.BestRank})
}
