package matcher

import (
	"math"

	"onward"
)

// term names a soft preference. Terms move the score and close nothing: each is at least leastTerm.
type term int

const (
	termWage term = iota
	termHours
	termChildcare
	termKind
	termStart
	termFreshness
	termReplies
	termCount
)

func (t term) String() string {
	return [...]string{"wage", "hours", "childcare", "kind", "start", "freshness", "replies"}[t]
}

// termWeights: what people turn offers down for weighs most (pay, hours, who looks after the children); dates can be
// talked about; freshness only says how likely the posting still stands, and how often the organisation replied before how
// likely anybody answers. Judgement.
var termWeights = [termCount]float64{
	termWage: 3, termHours: 2, termChildcare: 2, termKind: 2, termStart: 1, termFreshness: 1, termReplies: 1,
}

const (
	leastTerm = 0.2 // a preference closes nothing
	// flexibleTerm: hours that fit around care, or around another job, mostly solve what the number of hours does not.
	flexibleTerm = 0.7
	otherKind    = 0.4 // of a kind that the person would rather not have
	// startHalfLifeDays: half of employers wait a month for someone.
	startHalfLifeDays = 30
	// A posting is as good as new for freshDays; then half of the rest is filled or gone every freshHalfLifeDays. It never
	// falls below staleTerm, since someone keeps it open: where no preference is known this term is the whole mean.
	staleTerm         = 0.5
	freshDays         = 14
	freshHalfLifeDays = 60
)

// termValues holds the value of each term; NaN: unknown, or (childcare that is not needed) beside the point.
type termValues [termCount]float64

var unknownTerm = math.NaN()

func (s *scorer) terms(o *Opening) termValues {
	preferences := &s.person.Preferences
	var v termValues
	v[termWage] = wageTerm(preferences, o)
	v[termHours] = hoursTerm(preferences, o)
	v[termChildcare] = childcareTerm(preferences, o)
	v[termKind] = kindTerm(preferences, o)
	v[termStart] = startTerm(s.person.AvailableFrom, o.StartsOn, s.today)
	v[termFreshness] = freshnessTerm(o.PublishedOn, s.today)
	v[termReplies] = unknownTerm
	if share, ok := s.options.Replies[o.OrganisationID]; ok {
		v[termReplies] = bounded(share)
	}
	return v
}

// mean is the weighted mean of the known terms; 1 when none is known.
func (v termValues) mean() float64 {
	sum, weights := 0.0, 0.0
	for t, value := range v {
		if !math.IsNaN(value) {
			sum += termWeights[t] * value
			weights += termWeights[t]
		}
	}
	if weights == 0 {
		return 1
	}
	return sum / weights
}

func (v termValues) parts(p *Person) []onward.TermPart {
	parts := make([]onward.TermPart, 0, termCount)
	for t, value := range v {
		if needs := p.Preferences.NeedsChildcare; term(t) == termChildcare && needs != nil && !*needs {
			continue
		}
		part := onward.TermPart{Term: term(t).String(), Weight: termWeights[t]}
		if !math.IsNaN(value) {
			part.Value = &value
		}
		parts = append(parts, part)
	}
	return parts
}

func bounded(value float64) float64 { return math.Min(1, math.Max(leastTerm, value)) }

// wageTerm is the share of the reservation wage that is paid, in a month. Unknown when either is, or when the currencies
// differ: no rate of exchange is assumed.
func wageTerm(p *onward.Preferences, o *Opening) float64 {
	if p.ReservationMinor == nil || o.Wage == nil || o.Wage.Currency != p.Currency {
		return unknownTerm
	}
	hours := 0.0
	if o.HoursPerWeek != nil {
		hours = *o.HoursPerWeek
	}
	if *p.ReservationMinor <= 0 {
		return 1
	}
	return bounded(o.Wage.MonthlyMinor(hours) / float64(*p.ReservationMinor))
}

func hoursTerm(p *onward.Preferences, o *Opening) float64 {
	if p.HoursPerWeek == nil || o.HoursPerWeek == nil {
		return unknownTerm
	}
	value := bounded(*p.HoursPerWeek / *o.HoursPerWeek)
	if o.FlexibleTime != nil && *o.FlexibleTime {
		value = max(value, flexibleTerm)
	}
	return value
}

func childcareTerm(p *onward.Preferences, o *Opening) float64 {
	switch {
	case p.NeedsChildcare == nil || !*p.NeedsChildcare:
		return unknownTerm
	case o.Childcare != nil && *o.Childcare:
		return 1
	case o.FlexibleTime != nil && *o.FlexibleTime:
		return flexibleTerm
	case o.Childcare != nil:
		return leastTerm
	default:
		return unknownTerm
	}
}

func kindTerm(p *onward.Preferences, o *Opening) float64 {
	if len(p.Kinds) == 0 {
		return unknownTerm
	}
	for _, k := range p.Kinds {
		if k == o.Kind {
			return 1
		}
	}
	return otherKind
}

// startTerm: available by the start is 1, later loses half a month. What starts as soon as agreed suits who is available
// now; for others it is unknown.
func startTerm(available, start, today onward.Date) float64 {
	if available.IsZero() {
		return unknownTerm
	}
	if start.IsZero() {
		if available.After(today) {
			return unknownTerm
		}
		return 1
	}
	if start.Before(today) {
		start = today
	}
	late := max(0, start.DaysUntil(available))
	return bounded(math.Exp2(-float64(late) / startHalfLifeDays))
}

func freshnessTerm(published, today onward.Date) float64 {
	if published.IsZero() {
		return unknownTerm
	}
	days := max(0, published.DaysUntil(today)-freshDays)
	return staleTerm + (1-staleTerm)*math.Exp2(-float64(days)/freshHalfLifeDays)
}
