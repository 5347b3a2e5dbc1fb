package sentences

import "onward"

// Decision says to a person why they were referred to something: who decided, what the list had, and what can be done about it. line is what the
// list said of it; nil when the list is not there, or it is not on it.
func (w *Writer) Decision(d onward.Decision, line *onward.RankedReferral) []string {
	said := []string{w.say("decision.who", blanks{"Date": w.Date(onward.DateOf(d.At))})}
	switch {
	case d.RequestID.IsZero():
		said = append(said, w.say("decision.no_list", nil))
	case d.Rank == 0 && d.NearMiss != "":
		said = append(said, w.say("decision.near_miss", nil))
	case d.Rank == 0:
		said = append(said, w.say("decision.off_list", nil))
	case d.Rank == 1:
		said = append(said, w.say("decision.first", nil))
	default:
		said = append(said, w.say("decision.rank", blanks{"Rank": d.Rank, "Of": d.Of}))
	}
	if d.ChoiceReason != "" {
		said = append(said, w.say("decision.chosen_"+string(d.ChoiceReason), nil))
	}
	if len(d.Overrides) > 0 {
		said = append(said, w.say("decision.stated", nil))
	}
	if line != nil {
		said = append(said, w.Explain(*line)...)
	}
	if d.List == "gone" {
		said = append(said, w.say("decision.gone", nil))
	}
	return append(said, w.say("decision.object", nil))
}
