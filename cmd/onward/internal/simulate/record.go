package simulate

import (
	"maps"
	"slices"
	"time"

	"onward"
)

// today is the day of the referrals.
var today = onward.NewDate(2026, time.March, 1)

// record is what a counsellor wrote down of a person: incomplete, in part out of date, and here and there wrong.
func (m *maker) record(p *person, kin, previous []int) {
	r := m.random
	asked := today.AddDays(-r.IntN(120))
	d := onward.ReturneeDetails{
		Country: country, Language: "es", BirthDate: onward.NewDate(1970+r.IntN(35), time.Month(1+r.IntN(12)), 1), ReturnedOn: asked,
		Consents: []onward.Consent{{Purpose: onward.ConsentMatching, GivenOn: asked}},
	}
	at := func(place int, relation onward.PlaceRelation) {
		d.Places = append(d.Places, onward.PersonPlace{PlaceID: m.places[place].ID, Relation: relation, RecordedOn: asked})
	}
	at(p.origin, onward.PlaceOrigin)
	if r.Float64() < 0.85 {
		at(p.now, onward.PlaceCurrent)
	} else {
		at(m.cities.draw(r), onward.PlaceCurrent) // where the person was before
	}
	for _, place := range kin {
		if r.Float64() < m.world.KinRecorded {
			at(place, onward.PlaceKin)
		}
	}
	if r.Float64() < 0.05 {
		at(m.cities.draw(r), onward.PlaceKin) // mistaken
	}
	for _, place := range previous {
		if r.Float64() < 0.6 {
			at(place, onward.PlacePrevious)
		}
	}
	if r.Float64() < 0.35 {
		if p.final != abroad && r.Float64() < 0.6 {
			at(p.final, onward.PlaceIntended)
		} else {
			at(m.cities.draw(r), onward.PlaceIntended)
		}
	}
	if r.Float64() < 0.6 {
		d.Intention = &onward.OnwardIntention{Intention: m.said(p), RecordedOn: asked}
	}
	for _, id := range slices.Sorted(maps.Keys(p.skills)) {
		if p.skills[id] && r.Float64() < m.world.SkillRecorded || !p.skills[id] && r.Float64() < 0.1 {
			d.Skills = append(d.Skills, onward.ReturneeSkill{
				SkillID: id, Level: onward.Level(r.IntN(5)), Verification: onward.SelfDeclared, LastUsedYear: 2015 + r.IntN(11),
			})
		}
	}
	for _, occupation := range p.occupations {
		if r.Float64() < 0.8 {
			d.Experience = append(d.Experience, onward.Experience{OccupationID: occupation, Years: float64(1 + r.IntN(10)), LastYear: 2015 + r.IntN(11)})
		}
	}
	if r.Float64() < 0.6 {
		least := int64(p.reservation)
		d.Preferences.ReservationMinor, d.Preferences.Currency = &least, currency
	}
	p.profile = d
}

// said is what a person says of moving: what they will do seven times in ten, else anything.
func (m *maker) said(p *person) onward.Intention {
	if m.random.Float64() >= 0.7 {
		intentions := onward.Intentions()
		return intentions[m.random.IntN(len(intentions))]
	}
	switch {
	case p.final == abroad:
		return onward.IntendsToGoAbroad
	case p.final == p.now:
		return onward.IntendsToStay
	default:
		return onward.IntendsToMove
	}
}
