package memory

import (
	"cmp"
	"slices"
	"strings"
	"sync/atomic"

	"onward"
	"onward/indexer"
	"onward/matcher"
)

// builder makes a segment, out of entries (newSegment) or of other segments (merge).
type builder struct {
	segment       segment
	weighted      dict[matcher.OpeningSkill]
	places        dict[place]
	organisations dict[organisation]
	kinds         dict[string]
	labels        dict[string]
	texts         dict[string]
	lists         dict[string]
	wages         dict[onward.Wage]
	terms         dict[terms]
	shares        dict[float64]
}

// newBuilder begins a segment of so many openings, which name so many skills.
func newBuilder(country string, size, skills int) *builder {
	b := &builder{}
	b.segment = segment{
		country: canonical(country), scales: make([]float64, 0, size), hot: make([]hot, 0, size), cold: make([]cold, 0, size),
		skillsAt: append(make([]uint32, 0, size+1), 0), skills: newNumbers(skills),
	}
	return b
}

// newSegment makes a segment of entries of one country, each with an id of its own.
func newSegment(country string, entries []*indexer.Entry) *segment {
	order := make([]keyed, len(entries))
	skills := 0
	for i, e := range entries {
		order[i] = keyed{keyOf(&e.Opening), e}
		skills += len(e.Skills)
	}
	slices.SortStableFunc(order, func(a, b keyed) int { return a.key.compare(b.key) })
	b := newBuilder(country, len(entries), skills)
	places := make([]place, len(entries))
	for i, e := range entries {
		places[i] = placeOf(e)
	}
	b.number(places)
	var text wordsBuilder
	for doc := range order {
		b.add(order[doc].entry)
		text.add(uint32(doc), order[doc].entry.SearchTitle, order[doc].entry.SearchText) //nolint:gosec // fewer than 2^32
	}
	return b.seal(text.seal())
}

func placeOf(e *indexer.Entry) place {
	return place{id: e.PlaceID, name: canonical(e.Place), lat: e.Lat, lon: e.Lon}
}

// number numbers the places in the order of their spots.
func (b *builder) number(places []place) {
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(spotOf(a).compare(spotOf(b)), strings.Compare(a.name, b.name))
	})
	for _, p := range places {
		b.places.id(p)
	}
}

// add appends an entry.
func (b *builder) add(e *indexer.Entry) {
	h := hot{
		place:        b.places.id(placeOf(e)),
		organisation: b.organisations.id(organisation{id: e.OrganisationID, name: canonical(e.Organisation)}),
		portability:  b.shares.id(e.Portability),
		kind:         uint16(b.kinds.id(canonical(string(e.Kind)))), //nolint:gosec // there are seven
		closesOn:     e.ClosesOn, vettedUntil: e.VettedUntil,
		flags: flagsOf(&e.Opening),
	}
	t := terms{
		confidence: e.SkillConfidence, minAge: int32(e.MinAge), maxAge: int32(e.MaxAge), //nolint:gosec // ages
		languages: b.lists.id(canonical(packLanguages(e.Languages))),
		documents: b.lists.id(canonical(packDocuments(e.Documents))),
		vetting:   b.labels.id(canonical(string(e.Vetting))),
		basis:     b.labels.id(canonical(string(e.SkillBasis))),
	}
	if e.HoursPerWeek != nil {
		t.hoursPerWeek = *e.HoursPerWeek
	}
	c := cold{
		id: e.ID, version: e.Version, placesLeft: int32(e.PlacesLeft), //nolint:gosec // 100,000 at most
		startsOn: e.StartsOn, publishedOn: e.PublishedOn,
		title: b.texts.id(canonical(packText(e.Title))), terms: b.terms.id(t),
	}
	if e.Wage != nil {
		wage := *e.Wage
		wage.Currency, wage.Period = canonical(wage.Currency), onward.WagePeriod(canonical(string(wage.Period)))
		c.wage = b.wages.id(wage)
	}
	for _, skill := range e.Skills {
		number, ok := b.weighted.ids[skill]
		if !ok {
			skill.SkillID = canonical(skill.SkillID)
			number = b.weighted.id(skill)
		}
		b.segment.skills.append(number)
	}
	b.append(e.Scale, h, c)
}

// append ends an opening, after its skills.
func (b *builder) append(scale float64, h hot, c cold) {
	s := &b.segment
	s.scales, s.hot, s.cold = append(s.scales, scale), append(s.hot, h), append(s.cold, c)
	s.skillsAt = append(s.skillsAt, uint32(s.skills.len())) //nolint:gosec // 2^32 would be 100 million openings
}

// seal finishes the segment; text is its words.
func (b *builder) seal(text words) *segment {
	s := &b.segment
	s.skills = s.skills.clipped()
	s.weighted = b.weighted.sealed()
	s.chainSkills()
	s.text = text
	s.places, s.organisations = b.places.sealed(), b.organisations.sealed()
	s.kinds, s.labels, s.texts, s.lists = b.kinds.sealed(), b.labels.sealed(), b.texts.sealed(), b.lists.sealed()
	s.wages, s.terms, s.shares = b.wages.sealed(), b.terms.sealed(), b.shares.sealed()
	s.openings = newLookup(len(s.cold))
	for doc := range s.cold {
		s.openings.add(uint32(doc), hashOf(s.cold[doc].id)) //nolint:gosec // fewer than 2^32
	}
	s.blocks = newBlocks(s)
	s.cache = make([]atomic.Pointer[cachedOpening], min(max(len(s.hot), 1), openingCache))
	return s
}

// chainSkills makes skillIDs and nextOf.
func (s *segment) chainSkills() {
	s.skillIDs = newLookup(len(s.weighted))
	s.nextOf = make([]uint32, len(s.weighted))
	for i := range s.weighted {
		id, number := s.weighted[i].SkillID, uint32(i) //nolint:gosec // fewer than 2^32
		hash := hashOfSkill(id)
		if first, ok := s.findSkill(id, hash); ok { // goes in behind the first
			s.nextOf[number], s.nextOf[first] = s.nextOf[first], number+1
		} else {
			s.skillIDs.add(number, hash)
		}
	}
}

func flagsOf(o *matcher.Opening) flags {
	var f flags
	f.set(isRemote, o.Remote)
	f.set(isAssisted, o.Assisted)
	f.set(isNeutral, o.SkillBasis == onward.SkillsNone)
	f.set(isVetted, o.Vetting == onward.VettingPassed)
	f.set(isFictional, o.Fictional)
	f.set(isHazardous, o.Hazardous)
	f.set(hasHours, o.HoursPerWeek != nil)
	f.set(hasWage, o.Wage != nil)
	f.set(hasFlexibleTime, o.FlexibleTime != nil)
	f.set(isFlexibleTime, o.FlexibleTime != nil && *o.FlexibleTime)
	f.set(hasChildcare, o.Childcare != nil)
	f.set(isChildcare, o.Childcare != nil && *o.Childcare)
	return f
}
