package onward

import "time"

// ParityAttributes are what a person chose to say so that unfairness can be found, and for nothing else: no list and no score reads them. They
// are kept apart from the profile. Whoever does not want to say is not_said, which counts as a group of its own.
type ParityAttributes struct {
	Sex        string `json:"sex,omitempty" enum:"female,male,other,not_said"`
	Disability string `json:"disability,omitempty" enum:"yes,no,not_said" doc:"As the person sees it"`
	Return     string `json:"return,omitempty" enum:"forced,voluntary,not_said"`
	Origin     string `json:"origin,omitempty" enum:"rural,urban,not_said" doc:"Empty: by how many live in the community of origin, where that is known"`
}

// validate checks them.
func (p ParityAttributes) validate(v *validator) {
	for field, value := range map[string]struct {
		value string
		of    []string
	}{
		"parity.sex": {p.Sex, []string{"female", "male", "other", "not_said"}}, "parity.disability": {p.Disability, []string{"yes", "no", "not_said"}},
		"parity.return": {p.Return, []string{"forced", "voluntary", "not_said"}}, "parity.origin": {p.Origin, []string{"rural", "urban", "not_said"}},
	} {
		if value.value != "" {
			oneOf(v, field, value.value, value.of)
		}
	}
}

// ParityFigures say how lists and what became of people differ between groups. Counts are protected as those of the programme are.
type ParityFigures struct {
	CountedAt  time.Time     `json:"counted_at" doc:"Figures are counted once a month"`
	Attributes []ParityTable `json:"attributes"`
	Total      ParityLine    `json:"total"`
	Combined   []string      `json:"combined,omitempty" doc:"Columns that are too small to be shown one by one: their sum is in 'combined' of each line"`
	Floors     []FloorCost   `json:"floors" doc:"What a floor on the share of a group among the places of openings with few would cost; nothing applies one"`
	Note       string        `json:"note,omitempty"`
}

// ParityTable is one attribute.
type ParityTable struct {
	Attribute string        `json:"attribute" enum:"sex,age,disability,return,origin"`
	Banded    bool          `json:"banded,omitempty" doc:"Lines are of a group and a band of the best score of its people's lists"`
	Lines     []ParityLine  `json:"lines"`
	Groups    []ParityGroup `json:"groups"`
	Note      string        `json:"note,omitempty"`
}

// ParityLine counts people with a list, each once, by what became of them. A count that is left out is withheld, or in combined.
type ParityLine struct {
	Group       string `json:"group,omitempty" doc:"other: groups too small to be shown"`
	Band        string `json:"band,omitempty" doc:"Of the best score of the latest list"`
	People      *int   `json:"people,omitempty"`
	NotReferred *int   `json:"not_referred,omitempty"`
	Waiting     *int   `json:"waiting,omitempty" doc:"A referral awaits an answer, or a start"`
	Refused     *int   `json:"refused,omitempty" doc:"Declined by organisations, or expired without an answer"`
	Dropped     *int   `json:"dropped,omitempty" doc:"Withdrawn, revoked or failed before a start"`
	Kept        *int   `json:"kept,omitempty" doc:"Placed and still there as far as is known, ended as meant, or moved on with a job"`
	Early       *int   `json:"ended_early,omitempty"`
	Unknown     *int   `json:"unknown,omitempty" doc:"Placed, and lost to follow-up or ended for what says nothing of the placement"`
	Combined    *int   `json:"combined,omitempty"`
	Withheld    int    `json:"withheld"`
}

// ParityGroup is one group beside all others.
type ParityGroup struct {
	Group     string          `json:"group"`
	People    int             `json:"people"`
	Best      *ScoreSpread    `json:"best_score,omitempty" doc:"Of the best score of each list"`
	ListValue *float64        `json:"list_value,omitempty" doc:"Mean of the sum of score / log2(rank + 1) over a list: what a list offers, what stands lower less"`
	Bands     []BandShare     `json:"bands,omitempty"`
	Measures  []ParityMeasure `json:"measures"`
}

// ScoreSpread is how scores are spread.
type ScoreSpread struct {
	Lower  float64 `json:"lower_quartile"`
	Median float64 `json:"median"`
	Upper  float64 `json:"upper_quartile"`
	Mean   float64 `json:"mean"`
	Low    float64 `json:"mean_low" doc:"95 % interval of the mean"`
	High   float64 `json:"mean_high"`
}

// BandShare is the share of a group whose best score is in a band.
type BandShare struct {
	Band  string  `json:"band"`
	Share float64 `json:"share"`
}

// ParityMeasure is a share of one group beside that of all others. It says where to look, not who is to blame.
type ParityMeasure struct {
	Measure        string  `json:"measure" enum:"referred,placed,placed_of_referred,kept,placed_given_score" doc:"Shares of people: referred of all with a list, placed of all, placed of those referred, kept of those placed; placed_given_score is placed of all if the group's best scores were spread as everybody's"`
	Share          float64 `json:"share"`
	Low            float64 `json:"low" doc:"95 % interval: Wilson's; normal for placed_given_score"`
	High           float64 `json:"high"`
	Others         float64 `json:"others" doc:"The share of all others"`
	Difference     float64 `json:"difference"`
	DifferenceLow  float64 `json:"difference_low" doc:"Interval at which all groups of the attribute together are wrong one time in twenty (Newcombe's, Bonferroni)"`
	DifferenceHigh float64 `json:"difference_high"`
	Ratio          float64 `json:"ratio,omitempty" doc:"To the group with the highest share"`
	BelowFourFifth bool    `json:"below_four_fifths,omitempty" doc:"The ratio is below 0.8: a flag, not a verdict"`
	Alarm          bool    `json:"alarm,omitempty" doc:"Lower than the others by more than chance"`
}

// FloorCost is what it would cost to give every group of an attribute at least a part of its share of the people who have an opening on their list among those
// who get a place in it, over all openings that more people have on their list than they have places.
type FloorCost struct {
	Attribute string  `json:"attribute"`
	Floor     float64 `json:"floor" doc:"Part of the group's share: 1 is all of it"`
	Places    int     `json:"places" doc:"Places looked at, rounded at random to a multiple of five"`
	Moved     float64 `json:"moved" doc:"Share of them that would go to somebody else"`
	Loss      float64 `json:"loss" doc:"By how much the mean score of those who get a place would fall, as a share of it. If being placed goes with the score, as many placements would be lost"`
}

// ParityCount counts people with a list, of one group and one stage, by the best score of their list.
type ParityCount struct {
	Attribute string  `db:"attribute"`
	Group     string  `db:"of_group"`
	Stage     string  `db:"stage"`
	Bin       int     `db:"bin"` // hundredths
	People    int     `db:"people"`
	Value     float64 `db:"value"` // of their lists, summed
}

// FloorCandidate is somebody who has an opening on the list, by group.
type FloorCandidate struct {
	Opening    int     `db:"opening"`
	Places     int     `db:"places"`
	Score      float64 `db:"score"`
	Sex        string  `db:"sex"`
	Age        string  `db:"age"`
	Disability string  `db:"disability"`
	Return     string  `db:"return_kind"`
	Origin     string  `db:"origin"`
}

// Group is the group of an attribute.
func (c FloorCandidate) Group(attribute string) string {
	switch attribute {
	case "sex":
		return c.Sex
	case "age":
		return c.Age
	case "disability":
		return c.Disability
	case "return":
		return c.Return
	default:
		return c.Origin
	}
}
