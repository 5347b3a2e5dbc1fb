package matcher

import (
	"fmt"

	"onward"
)

// Gates are hard requirements, answered yes, no or unknown. Unknown does not close: it is shown, so that someone asks.
//
// Safety and consent are gates too, but what they close is simply absent: no near miss, no evidence, no count. So is what
// is closed, what failed vetting (or is not vetted, for people under protection), and what nothing can open.

const (
	// noticeDays is taken between today and the start of an opportunity that starts "as soon as agreed": about a month from
	// a referral to the first day. Judgement.
	noticeDays = 30
	// freePlace is what a full opportunity misses.
	freePlace = "free_place"
)

// gateCheck is the answer of one gate. Facts are filled in only when asked for: hundreds of openings are checked, and a
// few dozen are explained.
type gateCheck struct {
	gate    onward.Gate
	state   onward.GateState
	facts   []onward.Fact
	missing []string // what would open it; empty when nothing would
}

// tell adds a fact that has the state of the whole gate.
func (c *gateCheck) tell(f onward.Fact) {
	f.State = c.state
	c.facts = append(c.facts, f)
}

// gates answers every gate that is shown, in a fixed order.
func (s *scorer) gates(o *Opening, tell bool) [6]gateCheck {
	return [...]gateCheck{s.open(o, tell), s.vetted(o, tell), s.placesLeft(o, tell), s.documents(o, tell), s.age(o, tell), s.language(o, tell)}
}

// closedGate is the first gate that is closed, with its facts; the zero gateCheck when none is.
func (s *scorer) closedGate(o *Opening) gateCheck {
	for _, g := range s.gates(o, true) {
		if g.state == onward.GateNo {
			return g
		}
	}
	return gateCheck{}
}

func (s *scorer) open(o *Opening, tell bool) gateCheck {
	c := gateCheck{gate: onward.GateOpen, state: onward.GateYes}
	if !o.ClosesOn.IsZero() && o.ClosesOn.Before(s.today) {
		c.state = onward.GateNo
	}
	if tell {
		if o.ClosesOn.IsZero() {
			c.tell(onward.Fact{Code: onward.FactNoClosingDate})
		} else {
			c.tell(onward.Fact{Code: onward.FactOpenUntil, Date: o.ClosesOn})
		}
	}
	return c
}

func (s *scorer) vetted(o *Opening, tell bool) gateCheck {
	c := gateCheck{gate: onward.GateVetted, state: onward.GateUnknown}
	expired := !o.VettedUntil.IsZero() && o.VettedUntil.Before(s.today)
	switch {
	case o.Vetting == onward.VettingRejected:
		c.state = onward.GateNo
	case o.Vetting == onward.VettingPassed && !expired:
		c.state = onward.GateYes
	case s.person.safety.Protection:
		c.state = onward.GateNo
	}
	if !tell {
		return c
	}
	switch {
	case c.state == onward.GateYes && o.VettedUntil.IsZero():
		c.tell(onward.Fact{Code: onward.FactVetted})
	case c.state == onward.GateYes:
		c.tell(onward.Fact{Code: onward.FactVettedUntil, Date: o.VettedUntil})
	case o.Vetting == onward.VettingRejected:
		c.tell(onward.Fact{Code: onward.FactVettingRejected})
	case expired:
		c.tell(onward.Fact{Code: onward.FactVettingRanOut, Date: o.VettedUntil})
	default:
		c.tell(onward.Fact{Code: onward.FactNotVetted})
	}
	return c
}

func (s *scorer) placesLeft(o *Opening, tell bool) gateCheck {
	c := gateCheck{gate: onward.GatePlaces, state: onward.GateYes}
	if o.PlacesLeft <= 0 {
		c.state = onward.GateNo
	}
	if tell {
		c.tell(onward.Fact{Code: onward.FactPlacesLeft, Count: max(0, o.PlacesLeft)})
		if c.state == onward.GateNo {
			c.missing = []string{freePlace}
		}
	}
	return c
}

// start is the day by which papers must be there.
func (s *scorer) start(o *Opening) onward.Date {
	switch {
	case o.StartsOn.IsZero():
		return s.today.AddDays(noticeDays)
	case o.StartsOn.Before(s.today):
		return s.today
	default:
		return o.StartsOn
	}
}

// documents asks whether every paper can be there by the start. The first "no" decides, then the first "unknown".
func (s *scorer) documents(o *Opening, tell bool) gateCheck {
	c := gateCheck{gate: onward.GateDocuments, state: onward.GateYes}
	start := s.start(o)
	hopeless := false
	for _, kind := range o.Documents {
		document := s.person.document(kind)
		state, fact := documentBy(document, start)
		if state == onward.GateNo {
			c.missing = append(c.missing, string(kind))
			hopeless = hopeless || document.Status == onward.DocumentUnobtainable
		}
		c.state = worse(c.state, state)
		if tell {
			fact.State, fact.Document = state, kind
			c.facts = append(c.facts, fact)
		}
	}
	if hopeless {
		c.missing = nil
	}
	switch {
	case !tell:
	case len(c.facts) == 0:
		c.tell(onward.Fact{Code: onward.FactNoDocuments})
	case o.StartsOn.IsZero():
		c.tell(onward.Fact{Code: onward.FactStartTaken, Date: start})
	}
	return c
}

// documentBy says whether a document will be there on the day, and why.
func documentBy(d onward.PersonDocument, start onward.Date) (state onward.GateState, why onward.Fact) {
	expected := !d.ExpectedOn.IsZero()
	inTime := expected && !d.ExpectedOn.After(start)
	switch {
	case d.Status == "":
		return onward.GateUnknown, onward.Fact{Code: onward.FactDocumentNotKnown}
	case d.Status == onward.DocumentUnobtainable:
		return onward.GateNo, onward.Fact{Code: onward.FactDocumentUnobtainable}
	case d.Status == onward.DocumentHeld && (d.ValidUntil.IsZero() || !d.ValidUntil.Before(start)):
		return onward.GateYes, onward.Fact{Code: onward.FactDocumentHeld}
	case inTime:
		return onward.GateYes, onward.Fact{Code: onward.FactDocumentInTime, Date: d.ExpectedOn}
	case d.Status == onward.DocumentHeld:
		return onward.GateNo, onward.Fact{Code: onward.FactDocumentRunsOut, Date: d.ValidUntil}
	case expected:
		return onward.GateNo, onward.Fact{Code: onward.FactDocumentLate, Date: d.ExpectedOn}
	case d.Status == onward.DocumentApplied:
		return onward.GateUnknown, onward.Fact{Code: onward.FactDocumentApplied}
	default:
		return onward.GateNo, onward.Fact{Code: onward.FactDocumentMissing}
	}
}

func worse(a, b onward.GateState) onward.GateState {
	if a == onward.GateNo || b == onward.GateNo {
		return onward.GateNo
	}
	if a == onward.GateUnknown || b == onward.GateUnknown {
		return onward.GateUnknown
	}
	return onward.GateYes
}

// document finds a paper of the person; one without a status is unknown.
func (p *Person) document(kind onward.DocumentKind) onward.PersonDocument {
	for _, d := range p.Documents {
		if d.Kind == kind {
			return d
		}
	}
	return onward.PersonDocument{Kind: kind}
}

func (s *scorer) age(o *Opening, tell bool) gateCheck {
	c := gateCheck{gate: onward.GateAge, state: onward.GateUnknown}
	least := max(o.MinAge, legalAge(o.Country, o.Kind))
	if o.Hazardous {
		least = max(least, hazardousAge)
	}
	age := s.person.Age
	switch {
	case age == nil && least == 0 && o.MaxAge == 0:
		c.state = onward.GateYes
	case age == nil:
	case *age < least:
		c.state = onward.GateNo
		c.missing = []string{fmt.Sprintf("age:%d", least)}
	case o.MaxAge > 0 && *age > o.MaxAge:
		c.state = onward.GateNo // and nothing opens it
	default:
		c.state = onward.GateYes
	}
	if tell {
		c.tellAge(least, o, age)
	}
	return c
}

func (c *gateCheck) tellAge(least int, o *Opening, age *int) {
	if least > 0 || o.MaxAge > 0 {
		c.tell(onward.Fact{Code: onward.FactAgeLimit, From: least, To: o.MaxAge})
	} else {
		c.tell(onward.Fact{Code: onward.FactNoAgeLimit})
	}
	if o.Hazardous {
		c.tell(onward.Fact{Code: onward.FactHazardous})
	}
	if age == nil {
		c.tell(onward.Fact{Code: onward.FactAgeUnknown})
	} else {
		c.tell(onward.Fact{Code: onward.FactAge, Count: *age})
	}
}

// language asks for every essential language at its level. A language that is not on record is unknown.
func (s *scorer) language(o *Opening, tell bool) gateCheck {
	c := gateCheck{gate: onward.GateLanguage, state: onward.GateYes}
	for _, need := range o.Languages {
		if !need.Essential {
			continue
		}
		state, has := onward.GateUnknown, onward.CEFR("")
		for _, l := range s.person.Languages {
			if l.Language != need.Language {
				continue
			}
			state, has = onward.GateNo, l.Level
			if l.Level.AtLeast(need.Level) {
				state = onward.GateYes
			}
		}
		c.state = worse(c.state, state)
		if state == onward.GateNo {
			c.missing = append(c.missing, need.Language+":"+string(need.Level))
		}
		if tell {
			fact := onward.Fact{Code: onward.FactLanguageLevel, State: state, Language: need.Language, Needed: need.Level, Has: has}
			if has == "" {
				fact.Code = onward.FactLanguageNotKnown
			}
			c.facts = append(c.facts, fact)
		}
	}
	if tell && len(c.facts) == 0 {
		c.tell(onward.Fact{Code: onward.FactNoLanguage})
	}
	return c
}
