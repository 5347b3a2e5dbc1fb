package onward

// Candidate is a person for one opportunity, as the counsellors of their own caseload see them: by number, with the score
// that the opportunity has in the person's own list. Who has no closed gate comes first; the others fail exactly one that
// something can open.
type Candidate struct {
	Rank       int      `json:"rank"`
	ReturneeID ID       `json:"returnee_id"`
	Score      float64  `json:"score" doc:"As in the person's own list"`
	Fit        float64  `json:"fit"`
	Reach      float64  `json:"reach"`
	Terms      float64  `json:"terms"`
	Robust     bool     `json:"robust,omitempty" doc:"Within good reach of every place where the person is likely to live"`
	ClosedGate Gate     `json:"closed_gate,omitempty" doc:"The one gate that is closed; empty: none"`
	Missing    []string `json:"missing,omitempty" doc:"What would open it"`
	// Explanation is that of the person's own list.
	Explanation Explanation `json:"explanation"`
}

// CandidateCard is a person for one opportunity, as the organisation that posted it sees them: by a pseudonym, rounded,
// and with nothing of the person that the opportunity did not ask for. Only people who agreed to be shown have one.
type CandidateCard struct {
	Rank      int         `json:"rank"`
	Pseudonym ID          `json:"pseudonym" doc:"Random; the same for one person and one opportunity, another for each other opportunity"`
	Fit       float64     `json:"fit" doc:"How well the skills are covered, in tenths"`
	Skills    []CardSkill `json:"skills" doc:"The skills of the opportunity, the heaviest first"`
	// These are left out where few people qualify.
	Score *float64   `json:"score,omitempty" doc:"Fit, reach and terms together, in tenths; left out where few people qualify"`
	Reach *float64   `json:"reach,omitempty" doc:"How likely the person will be where it is, in quarters; left out where few people qualify"`
	Terms *float64   `json:"terms,omitempty" doc:"Pay, hours, kind and dates, in tenths; left out where few people qualify"`
	Gates []CardGate `json:"gates,omitempty" doc:"Papers, age and languages that were asked for; left out where few people qualify"`
}

// FewCandidates is below how many people cards say nothing but skills: among a handful, where someone will live, what
// they would work for and which papers they hold tells who they are. Judgement: five is the least cell that statistical
// offices usually publish.
const FewCandidates = 5

// CardSkill is one skill of the opportunity on a card.
type CardSkill struct {
	SkillID   string    `json:"skill_id"`
	Label     string    `json:"label"`
	Essential bool      `json:"essential"`
	Match     CardMatch `json:"match" enum:"yes,near,no,unknown"`
}

// CardMatch says how far a skill is covered.
type CardMatch string

// The matches.
const (
	MatchYes     CardMatch = "yes"
	MatchNear    CardMatch = "near" // by a related skill, or weakly
	MatchNo      CardMatch = "no"
	MatchUnknown CardMatch = "unknown"
)

// CardGate is one hard requirement on a card.
type CardGate struct {
	Gate  Gate      `json:"gate" enum:"documents,legal_age,language"`
	State GateState `json:"state" enum:"yes,no,unknown"`
}
