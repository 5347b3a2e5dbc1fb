package matcher

import (
	"fmt"
	"strings"

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

// gateCheck is the answer of one gate. Evidence and missing are filled in only when asked for: hundreds of openings are
// checked, and a few dozen are explained.
type gateCheck struct {
	gate     onward.Gate
	state    onward.GateState
	evidence string
	missing  []string // what would open it; empty when nothing would
}

// gates answers every gate that is shown, in a fixed order.
func (s *scorer) gates(o *Opening, tell bool) [6]gateCheck {
	return [...]gateCheck{s.open(o, tell), s.vetted(o, tell), s.placesLeft(o, tell), s.documents(o, tell), s.age(o, tell), s.language(o, tell)}
}

func (s *scorer) open(o *Opening, tell bool) gateCheck {
	c := gateCheck{gate: onward.GateOpen, state: onward.GateYes}
	if !o.ClosesOn.IsZero() && o.ClosesOn.Before(s.today) {
		c.state = onward.GateNo
	}
	if tell {
		c.evidence = "no closing date"
		if !o.ClosesOn.IsZero() {
			c.evidence = "open until " + o.ClosesOn.String()
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
		c.evidence = "checked"
	case c.state == onward.GateYes:
		c.evidence = "checked, valid until " + o.VettedUntil.String()
	case expired:
		c.evidence = "the check ran out on " + o.VettedUntil.String()
	default:
		c.evidence = "nobody has checked it yet"
	}
	return c
}

func (s *scorer) placesLeft(o *Opening, tell bool) gateCheck {
	c := gateCheck{gate: onward.GatePlaces, state: onward.GateYes}
	if o.PlacesLeft <= 0 {
		c.state = onward.GateNo
	}
	if tell {
		c.evidence = fmt.Sprintf("%d left", max(0, o.PlacesLeft))
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
	var evidence []string
	for _, kind := range o.Documents {
		document := s.person.document(kind)
		state, why := documentBy(document, start)
		if state == onward.GateNo {
			c.missing = append(c.missing, string(kind))
			hopeless = hopeless || document.Status == onward.DocumentUnobtainable
		}
		c.state = worse(c.state, state)
		if tell {
			evidence = append(evidence, fmt.Sprintf("%s: %s", kind, why))
		}
	}
	if hopeless {
		c.missing = nil
	}
	if tell {
		c.evidence = "no papers needed"
		if len(evidence) > 0 {
			c.evidence = strings.Join(evidence, "; ")
			if o.StartsOn.IsZero() {
				c.evidence += fmt.Sprintf(" (start taken as %s)", start)
			}
		}
	}
	return c
}

// documentBy says whether a document will be there on the day, and why. The reasons are constants with a date at most.
func documentBy(d onward.PersonDocument, start onward.Date) (state onward.GateState, why string) {
	expected := !d.ExpectedOn.IsZero()
	inTime := expected && !d.ExpectedOn.After(start)
	switch {
	case d.Status == "":
		return onward.GateUnknown, "not known whether the person has it"
	case d.Status == onward.DocumentUnobtainable:
		return onward.GateNo, "can't be had"
	case d.Status == onward.DocumentHeld && (d.ValidUntil.IsZero() || !d.ValidUntil.Before(start)):
		return onward.GateYes, "held"
	case inTime:
		return onward.GateYes, "expected before the start, on " + d.ExpectedOn.String()
	case d.Status == onward.DocumentHeld:
		return onward.GateNo, "runs out before the start, on " + d.ValidUntil.String()
	case expected:
		return onward.GateNo, "expected after the start, on " + d.ExpectedOn.String()
	case d.Status == onward.DocumentApplied:
		return onward.GateUnknown, "applied for, without a date"
	default:
		return onward.GateNo, "missing"
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
		c.evidence = ageRule(least, o.MaxAge, o.Hazardous)
		if age == nil {
			c.evidence += "; date of birth not known"
		} else {
			c.evidence += fmt.Sprintf("; is %d", *age)
		}
	}
	return c
}

func ageRule(least, most int, hazardous bool) string {
	rule := "no legal age"
	switch {
	case least > 0 && most > 0:
		rule = fmt.Sprintf("from %d to %d", least, most)
	case least > 0:
		rule = fmt.Sprintf("from %d", least)
	case most > 0:
		rule = fmt.Sprintf("up to %d", most)
	}
	if hazardous {
		rule += " (hazardous work)"
	}
	return rule
}

// language asks for every essential language at its level. A language that is not on record is unknown.
func (s *scorer) language(o *Opening, tell bool) gateCheck {
	c := gateCheck{gate: onward.GateLanguage, state: onward.GateYes}
	var evidence []string
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
			if has == "" {
				has = "not on record"
			}
			evidence = append(evidence, fmt.Sprintf("%s %s needed, %s", need.Language, need.Level, has))
		}
	}
	if tell {
		c.evidence = "no language needed"
		if len(evidence) > 0 {
			c.evidence = strings.Join(evidence, "; ")
		}
	}
	return c
}

// opens says whether what opens one near miss also opens another. Papers, a language level and an age help elsewhere; a
// place that falls free helps nowhere else.
func opens(one, other *onward.NearMiss) bool {
	if one.Gate != other.Gate || one.Gate == onward.GatePlaces {
		return false
	}
	for _, needed := range other.Missing {
		covered := false
		for _, gained := range one.Missing {
			covered = covered || covers(one.Gate, gained, needed)
		}
		if !covered {
			return false
		}
	}
	return true
}

func covers(gate onward.Gate, gained, needed string) bool {
	if gained == needed {
		return true
	}
	what, level, ok := strings.Cut(gained, ":")
	otherWhat, otherLevel, ok2 := strings.Cut(needed, ":")
	if !ok || !ok2 || what != otherWhat {
		return false
	}
	if gate == onward.GateLanguage {
		return onward.CEFR(level).AtLeast(onward.CEFR(otherLevel))
	}
	return len(level) > len(otherLevel) || (len(level) == len(otherLevel) && level >= otherLevel) // numbers without leading zeros
}
