package onward

import "time"

// Figures are what an agency publishes of its referrals and placements. They are counted once a month, so that two moments can't be
// compared to see what happened to one person; until there is enough to publish, they are counted each time.
type Figures struct {
	Month     string             `json:"month" doc:"Counted in this month, for all who ask in it"`
	CountedAt time.Time          `json:"counted_at"`
	Kind      ProgrammeFigures   `json:"kind"`
	Region    ProgrammeFigures   `json:"region"`
	Retention []RetentionFigures `json:"retention"`
	Parity    ParityFigures      `json:"parity"`
}

// Published is true when the figures say anything.
func (f Figures) Published() bool {
	return f.Kind.Total.Sent != nil || len(f.Retention) > 0 || len(f.Parity.Attributes) > 0
}

// Programme are the figures by kind, or by region.
func (f Figures) Programme(by string) ProgrammeFigures {
	if by == "region" {
		return f.Region
	}
	return f.Kind
}

// ProgrammeFigures are the referrals of an agency by what became of them. Small counts are withheld, and with them so many others
// that they can't be worked out.
type ProgrammeFigures struct {
	By        string          `json:"by" enum:"kind,region" doc:"What the lines are of: a quarter and a kind of opportunity, or a region over all time"`
	CountedAt time.Time       `json:"counted_at" doc:"Figures are counted once a month"`
	Lines     []FunnelLine    `json:"lines"`
	Total     FunnelLine      `json:"total"`
	Combined  []string        `json:"combined,omitempty" doc:"Columns that are too small to be shown one by one: their sum is in 'combined' of each line"`
	Times     []TransitionDay `json:"times" doc:"How long referrals took from one state to the next, when enough were placed"`
	Note      string          `json:"note,omitempty"`
}

// FunnelLine is what became of the referrals that were sent in a quarter. A count that is left out is withheld, or in combined.
type FunnelLine struct {
	Quarter  string `json:"quarter,omitempty" doc:"In which they were sent, such as 2026-Q1; empty: all"`
	Of       string `json:"of,omitempty" doc:"The kind of opportunity, or the region"`
	Sent     *int   `json:"sent,omitempty"`
	Waiting  *int   `json:"waiting,omitempty" doc:"Awaiting an answer, or a start"`
	Refused  *int   `json:"refused,omitempty" doc:"Declined by the organisation, or expired without an answer"`
	Dropped  *int   `json:"dropped,omitempty" doc:"Withdrawn, revoked or failed before a start"`
	Placed   *int   `json:"placed,omitempty" doc:"Started and still there, as far as is known"`
	Lasting  *int   `json:"lasting,omitempty" doc:"Ended as it was meant to, or for something better"`
	MovedOn  *int   `json:"moved_on,omitempty" doc:"Lives and works elsewhere"`
	Early    *int   `json:"ended_early,omitempty"`
	Other    *int   `json:"ended_other,omitempty" doc:"Ended for what says nothing of the placement"`
	Lost     *int   `json:"lost_to_follow_up,omitempty" doc:"Nobody knows; beside every success"`
	Combined *int   `json:"combined,omitempty" doc:"The columns that are named in 'combined' of the figures, together"`
	Withheld int    `json:"withheld" doc:"How many counts of this line are withheld"`
}

// TransitionDay is how long referrals took between two states. Of how many it speaks is left out: it would give away counts that are
// withheld.
type TransitionDay struct {
	From   string  `json:"from"`
	To     string  `json:"to"`
	Lower  float64 `json:"lower_quartile" doc:"Days"`
	Median float64 `json:"median" doc:"Days"`
	Upper  float64 `json:"upper_quartile" doc:"Days"`
}

// RetentionFigures say how long placements last. All numbers are rounded at random to one of the two neighbouring steps of five people.
type RetentionFigures struct {
	Of     string           `json:"of,omitempty" doc:"The kind of opportunity; empty: all"`
	People int              `json:"people" doc:"Placements, rounded at random to a multiple of five"`
	Points []RetentionPoint `json:"points" doc:"At 30, 90, 180 and 365 days"`
}

// RetentionPoint is the share of placements that last for some days, with what is not known beside it.
type RetentionPoint struct {
	Day      int     `json:"day"`
	AtRisk   int     `json:"at_risk" doc:"Placements that were followed until then, rounded at random to a multiple of five"`
	Retained float64 `json:"retained" doc:"Kaplan-Meier estimate, rounded at random to a step worth five people; whoever is lost or moved on with a job is open from then on, and counts neither way"`
	Low      float64 `json:"low" doc:"95 % band, with what the rounding adds"`
	High     float64 `json:"high"`
	Lost     float64 `json:"lost_to_follow_up" doc:"Share of those who started so long ago of whom nothing is known on that day"`
	MovedOn  float64 `json:"moved_on" doc:"Share of those who started so long ago who had moved on with a job by then"`
}

// CaseloadLine is what a counsellor has to see to, of one referral or placement.
type CaseloadLine struct {
	Due        string         `json:"due" enum:"alert,offer,question,overdue,hold_ends,check_in,confirm" doc:"What is to be done"`
	ReturneeID ID             `json:"returnee_id"`
	ReferralID ID             `json:"referral_id"`
	SubjectID  ID             `json:"subject_id" doc:"The referral, placement, check-in or alert"`
	Status     ReferralStatus `json:"status"`
	By         string         `json:"by,omitempty" doc:"When it has to be done"`
}

// OpeningLine is an opening as its organisation sees it.
type OpeningLine struct {
	OpportunityID ID                `json:"opportunity_id"`
	Title         Text              `json:"title"`
	Status        OpportunityStatus `json:"status"`
	Capacity      int               `json:"capacity"`
	Held          int               `json:"held"`
	Placed        int               `json:"placed"`
	ToAnswer      int               `json:"to_answer" doc:"Referrals that await an answer"`
	Overdue       int               `json:"overdue" doc:"Of those, late"`
	AnswerBy      string            `json:"answer_by,omitempty" doc:"When the first answer is due"`
	Confirm       bool              `json:"confirm,omitempty" doc:"Onward asked whether it still stands"`
}

// MonitoredLine is a placement as the partner that monitors it sees it.
type MonitoredLine struct {
	PlacementID ID           `json:"placement_id"`
	ReturneeID  ID           `json:"returnee_id"`
	Kind        Kind         `json:"kind"`
	StartedOn   Date         `json:"started_on" format:"date"`
	Confirmed   bool         `json:"confirmed"`
	LastSeenOn  Date         `json:"last_seen_on,omitzero" format:"date"`
	CheckInID   ID           `json:"check_in_id,omitzero" doc:"The next one"`
	CheckInOn   Date         `json:"check_in_on,omitzero" format:"date"`
	CheckInDue  bool         `json:"check_in_due,omitempty"`
	EndedOn     Date         `json:"ended_on,omitzero" format:"date"`
	EndReason   PlacementEnd `json:"end_reason,omitempty"`
}

// FigureCounts are what figures are made of, counted at one time. They are for suppressing, not for showing.
type FigureCounts struct {
	Kinds   []FunnelCount
	Regions []FunnelCount // without quarters
	Times   []TimeCount
	Spans   []SpanCount
	Parity  []ParityCount
	Floor   []FloorCandidate // by opening, the best first
	At      time.Time
	Key     []byte // of the rounding: who has it can undo it
}

// FunnelCount counts referrals that were sent in one quarter, of one kind or region, by what became of them.
type FunnelCount struct {
	Quarter string
	Of      string
	Stage   string
	Count   int
}

// TimeCount counts referrals that took some hours from one state to the next.
type TimeCount struct {
	From  string
	To    string
	Hours int
	Count int
}

// SpanCount counts placements of one kind by how many days are known of them, and what is known at the end.
type SpanCount struct {
	Kind  Kind   `db:"kind"`
	Days  int    `db:"days"`
	Ago   int    `db:"ago"` // days since the start, at least
	How   string `db:"how"` // ended, moved_on or open: nothing is known beyond
	Count int    `db:"count"`
}
