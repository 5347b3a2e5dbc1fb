package demo

import (
	"slices"
	"strconv"
	"strings"

	"onward"
)

// person prints who the list is for, in a few lines.
func (p *printer) person() {
	r := p.Person
	name := strings.TrimSpace(r.Identity.GivenName + " " + r.Identity.FamilyName)
	title := []string{}
	for _, s := range []string{name, p.caseNumber(r)} {
		if s != "" {
			title = append(title, s)
		}
	}
	p.add(line{strings.Join(title, " · "), strong, 0})
	if facts := p.lifeFacts(r); len(facts) > 0 {
		p.add(line{"  " + strings.Join(facts, "; ") + ".", normal, 4})
	}
	for _, facts := range append(p.workFacts(r), p.paperFacts(r)...) {
		p.add(line{"  " + facts + ".", normal, 4})
	}
}

func (p *printer) caseNumber(r onward.Returnee) string {
	if r.ExternalID == "" {
		return ""
	}
	return p.say("case", r.ExternalID)
}

// lifeFacts: age, return, and where the person has ties, as far as the list names those places.
func (p *printer) lifeFacts(r onward.Returnee) []string {
	var facts []string
	if !r.BirthDate.IsZero() && p.Request.List != nil {
		facts = append(facts, p.say("years", r.BirthDate.YearsUntil(onward.DateOf(p.Request.List.GeneratedAt))))
	}
	if !r.ReturnedOn.IsZero() {
		facts = append(facts, p.say("returned", p.date(r.ReturnedOn)))
	}
	names := map[onward.PlaceID]string{}
	if p.Request.List != nil {
		for _, place := range p.Request.List.Destination.Places {
			names[place.PlaceID], _, _ = strings.Cut(p.town(place.Name), ",")
		}
	}
	for _, tie := range []struct {
		relation onward.PlaceRelation
		key      string
	}{{onward.PlaceOrigin, "from0"}, {onward.PlaceCurrent, "livesIn"}, {onward.PlaceKin, "family"}, {onward.PlaceIntended, "wantsTo"}} {
		var towns []string
		for _, place := range r.PlacesBy(tie.relation) {
			if name := names[place.PlaceID]; name != "" && !slices.Contains(towns, name) {
				towns = append(towns, name)
			}
		}
		if len(towns) > 0 {
			facts = append(facts, p.say(tie.key, list(towns, p.say("and"))))
		}
	}
	return facts
}

func (p *printer) workFacts(r onward.Returnee) []string {
	var facts, worked, speaks []string
	for _, e := range r.Experience {
		if p.Label == nil {
			break
		}
		label := p.Label(e.OccupationID)
		switch years := strconv.FormatFloat(e.Years, 'f', -1, 64); {
		case label == "":
			continue
		case e.Years == 0:
			worked = append(worked, label)
		case e.UnseenUnpaid:
			worked = append(worked, p.say("yearsUnpaid", label, years))
		default:
			worked = append(worked, p.say("yearsOf", label, years))
		}
	}
	for _, l := range r.Languages {
		name := l.Language
		if w, ok := words[name]; ok {
			name = lower(p.of(w))
			if p.Language != "es" {
				name = p.of(w)
			}
		}
		speaks = append(speaks, name+together+string(l.Level))
	}
	if len(worked) > 0 {
		facts = append(facts, p.say("worked", strings.Join(worked, ", ")))
	}
	if len(speaks) > 0 {
		facts = append(facts, p.say("speaks", strings.Join(speaks, ", ")))
	}
	return facts
}

func (p *printer) paperFacts(r onward.Returnee) []string {
	var held, underWay, missing []string
	for _, d := range r.Documents {
		name := lower(p.document(string(d.Kind)))
		switch d.Status {
		case onward.DocumentHeld:
			held = append(held, name)
		case onward.DocumentApplied:
			if !d.ExpectedOn.IsZero() {
				name = p.say("withDate", name, p.date(d.ExpectedOn))
			}
			underWay = append(underWay, name)
		case onward.DocumentMissing, onward.DocumentUnobtainable:
			missing = append(missing, name)
		}
	}
	var facts []string
	for _, part := range []struct {
		key    string
		papers []string
	}{{"held", held}, {"underWay", underWay}, {"notHeld", missing}} {
		if len(part.papers) > 0 {
			facts = append(facts, p.say(part.key, strings.Join(part.papers, "; ")))
		}
	}
	return facts
}
