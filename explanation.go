package onward

// VarietyFactor is what an opening loses for each opening of the same organisation that scores higher: a list of ten places
// at one employer leaves the person with one answer. With 0.85 the fifth one needs twice the score of another
// organisation's first. Judgement.
const VarietyFactor = 0.85

// RankedReferral is one line of a list. Score is Fit x Reach x Terms, and each of them follows from its parts below. The
// list is ordered by Score x Variety.
type RankedReferral struct {
	Rank        int                `json:"rank"`
	Opportunity OpportunitySummary `json:"opportunity"`
	Score       float64            `json:"score"`
	Fit         float64            `json:"fit" doc:"How well the person's skills cover the opportunity's"`
	Reach       float64            `json:"reach" doc:"How likely the person will be where it is"`
	Terms       float64            `json:"terms" doc:"Pay, hours, kind, dates, freshness, how often the organisation replies"`
	Variety     float64            `json:"variety" doc:"1, less for each opening of the same organisation that scores higher; the list is ordered by score x variety"`
	Robust      bool               `json:"robust,omitempty" doc:"Within good reach of every place where the person is likely to live"`
	// Counterfactuals come from the scorer: the whole list is scored again with one thing changed.
	Counterfactuals []Counterfactual `json:"counterfactuals,omitempty" doc:"What would move it up, among the openings considered"`
	Explanation     Explanation      `json:"explanation"`
}

// Explanation is the computation itself, in parts.
type Explanation struct {
	// Fit = Confidence x sum(Weight x Strength) / sum(Weight) over Skills.
	SkillBasis      SkillBasis   `json:"skill_basis"`
	SkillConfidence float64      `json:"skill_confidence"`
	Skills          []SkillPart  `json:"skills,omitempty"`
	ReachParts      []ReachPart  `json:"reach_parts,omitempty" doc:"Reach is the sum of probability x access"`
	TermParts       []TermPart   `json:"term_parts,omitempty" doc:"Terms is the weighted mean of the known ones; 1 when none is known"`
	Gates           []GateResult `json:"gates,omitempty"`
	Sentences       []string     `json:"sentences,omitempty" doc:"The same in words, in the language of the list"`
}

// SkillBasis says where the skills of an opportunity come from.
type SkillBasis string

// The bases.
const (
	SkillsCoded          SkillBasis = "coded"      // someone coded them
	SkillsFromOccupation SkillBasis = "occupation" // taken from the occupation, at lower confidence
	SkillsNone           SkillBasis = "none"       // unknown; a neutral fit is used
)

// SkillPart is one skill's share of the fit.
type SkillPart struct {
	SkillID   string  `json:"skill_id"`
	Label     string  `json:"label"`
	Essential bool    `json:"essential"`
	Weight    float64 `json:"weight" doc:"idf x (1 essential, 0.35 optional)"`
	Strength  float64 `json:"strength" doc:"0 missing, 1 fully there"`
	Via       string  `json:"via,omitempty" doc:"The person's skill that covers it when it is another one"`
	ViaLabel  string  `json:"via_label,omitempty"`
	Related   float64 `json:"related,omitempty" doc:"How near that skill is"`
}

// ReachPart is one place's share of the reach.
type ReachPart struct {
	PlaceID     PlaceID `json:"place_id,omitempty"`
	Place       string  `json:"place" doc:"A place, 'elsewhere' or 'abroad'"`
	Probability float64 `json:"probability"`
	Access      float64 `json:"access" doc:"1 there or remote; falls with distance; at least a floor with housing or relocation; portability for 'abroad'"`
	DistanceKm  float64 `json:"distance_km,omitempty"`
}

// TermPart is one soft preference.
type TermPart struct {
	Term   string   `json:"term" enum:"wage,hours,childcare,kind,start,freshness,replies"`
	Weight float64  `json:"weight"`
	Value  *float64 `json:"value,omitempty" doc:"0 to 1; empty: unknown, and left out of the mean"`
}

// GateState is the answer of a hard requirement.
type GateState string

// The answers.
const (
	GateYes     GateState = "yes"
	GateNo      GateState = "no"
	GateUnknown GateState = "unknown" // does not close; is shown, so that someone asks
)

// Gate names a hard requirement.
type Gate string

// The gates. Safety and consent are gates too, but are never shown: see matcher.
const (
	GateOpen      Gate = "open"
	GateVetted    Gate = "vetted"
	GatePlaces    Gate = "places_left"
	GateDocuments Gate = "documents"
	GateAge       Gate = "legal_age"
	GateLanguage  Gate = "language"
)

// GateResult is one gate with its answer and what the answer rests on.
type GateResult struct {
	Gate     Gate      `json:"gate"`
	State    GateState `json:"state" enum:"yes,no,unknown"`
	Facts    []Fact    `json:"facts,omitempty"`
	Evidence string    `json:"evidence,omitempty" doc:"The facts in words, in the language of the list"`
}

// Fact is one thing that the answer of a gate rests on: a code, and what fills it in.
type Fact struct {
	Code     FactCode     `json:"code"`
	State    GateState    `json:"state" enum:"yes,no,unknown" doc:"What this fact alone says"`
	Document DocumentKind `json:"document,omitempty"`
	Language string       `json:"language,omitempty"`
	Needed   CEFR         `json:"needed,omitempty" doc:"The level that is asked for"`
	Has      CEFR         `json:"has,omitempty" doc:"The person's level"`
	Date     Date         `json:"date,omitzero" format:"date"`
	Count    int          `json:"count,omitempty" doc:"Places left, or the person's age"`
	From     int          `json:"from,omitempty" doc:"Youngest age; 0: none"`
	To       int          `json:"to,omitempty" doc:"Oldest age; 0: none"`
}

// FactCode says what a fact is about.
type FactCode string

// The facts, by gate.
const (
	FactNoClosingDate FactCode = "no_closing_date"
	FactOpenUntil     FactCode = "open_until"

	FactVetted          FactCode = "vetted"
	FactVettedUntil     FactCode = "vetted_until"
	FactVettingRanOut   FactCode = "vetting_ran_out"
	FactNotVetted       FactCode = "not_vetted"
	FactVettingRejected FactCode = "vetting_rejected"

	FactPlacesLeft FactCode = "places_left"

	FactNoDocuments          FactCode = "no_documents"
	FactDocumentNotKnown     FactCode = "document_not_known"
	FactDocumentUnobtainable FactCode = "document_unobtainable"
	FactDocumentHeld         FactCode = "document_held"
	FactDocumentInTime       FactCode = "document_in_time"
	FactDocumentRunsOut      FactCode = "document_runs_out"
	FactDocumentLate         FactCode = "document_late"
	FactDocumentApplied      FactCode = "document_applied"
	FactDocumentMissing      FactCode = "document_missing"
	FactStartTaken           FactCode = "start_taken" // no start is given: the day that was counted with

	FactNoAgeLimit FactCode = "no_age_limit"
	FactAgeLimit   FactCode = "age_limit"
	FactHazardous  FactCode = "hazardous"
	FactAge        FactCode = "age"
	FactAgeUnknown FactCode = "age_unknown"

	FactNoLanguage       FactCode = "no_language"
	FactLanguageLevel    FactCode = "language_level"
	FactLanguageNotKnown FactCode = "language_not_known"
)

// NearMiss is an opportunity that one gate alone keeps off the list.
type NearMiss struct {
	Opportunity OpportunitySummary `json:"opportunity"`
	Score       float64            `json:"score" doc:"Its score if the gate were open"`
	WouldRank   int                `json:"would_rank" doc:"Its rank if the gate were open"`
	Gate        Gate               `json:"gate"`
	Missing     []string           `json:"missing" doc:"What would open it, such as driving_licence or es:B1"`
	Facts       []Fact             `json:"facts,omitempty"`
	Evidence    string             `json:"evidence" doc:"The facts in words, in the language of the list"`
	Sentence    string             `json:"sentence,omitempty" doc:"What would open it, and what that would do, in the language of the list"`
	AlsoOpens   int                `json:"also_opens" doc:"How many other near misses the same thing would open"`
}

// ChangeKind says what a change is of.
type ChangeKind string

// The kinds of change that a counterfactual or an unlock is about.
const (
	ChangeDocument  ChangeKind = "document"  // a paper can be had by the start
	ChangeLanguage  ChangeKind = "language"  // a level of a language
	ChangeSkill     ChangeKind = "skill"     // at working level, tested
	ChangeTraining  ChangeKind = "training"  // the skills of an open training or apprenticeship, each at basic level, tested
	ChangeResidence ChangeKind = "residence" // it is certain where the person lives
)

// Change is one thing that could be otherwise.
type Change struct {
	Kind ChangeKind `json:"kind" enum:"document,language,skill,training,residence"`
	// What holds the kinds of document, the languages with their level (es:B1), the id of the skill, of the training or of the
	// place.
	What  []string `json:"what"`
	Label string   `json:"label,omitempty" doc:"Of the skill, the training or the place"`
}

// Counterfactual is what one change would do to one line of a list.
type Counterfactual struct {
	Change   Change  `json:"change"`
	Rank     int     `json:"rank"`
	Score    float64 `json:"score"`
	Sentence string  `json:"sentence,omitempty"`
}

// Unlock is what one change would bring onto a person's list.
type Unlock struct {
	Change Change  `json:"change"`
	Opens  int     `json:"opens" doc:"How many opportunities it would bring onto the list"`
	Weight float64 `json:"weight" doc:"The sum of their scores"`
	// Best is the one with the highest score.
	Best     OpportunitySummary `json:"best"`
	BestRank int                `json:"best_rank" doc:"The rank that it would have"`
	Sentence string             `json:"sentence,omitempty"`
}

// CaseloadUnlock is what one change would bring onto the lists of many people, each by itself.
type CaseloadUnlock struct {
	Change    Change  `json:"change"`
	Returnees int     `json:"returnees" doc:"How many people it would bring something"`
	Opens     int     `json:"opens" doc:"How many opportunities it would bring onto their lists, summed"`
	Weight    float64 `json:"weight" doc:"The sum of their scores"`
	Sentence  string  `json:"sentence,omitempty"`
}
