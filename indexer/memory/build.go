package memory

import (
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"onward"
	"onward/indexer"
	"onward/matcher"
)

// builder makes a segment, out of entries (add) or of other segments (merge).
type builder struct {
	segment       segment
	weighted      dict[matcher.OpeningSkill]
	skillNumbers  dict[string]
	essential     [][]uint32
	optional      [][]uint32
	text          wordsBuilder
	places        dict[place]
	organisations dict[organisation]
	labels        dict[string]
	texts         dict[string]
	lists         dict[string]
	wages         dict[onward.Wage]
}

func newBuilder(country string, size int) *builder {
	b := &builder{}
	b.segment = segment{
		country: canonical(country), scales: make([]float64, 0, size), hot: make([]hot, 0, size), cold: make([]cold, 0, size),
		skillsAt: append(make([]uint32, 0, size+1), 0),
	}
	return b
}

// add appends an entry.
func (b *builder) add(e *indexer.Entry) {
	doc := uint32(len(b.segment.hot)) //nolint:gosec // fewer than 2^32 openings
	h := hot{
		portability:  e.Portability,
		place:        b.places.id(place{id: e.PlaceID, name: canonical(e.Place), lat: e.Lat, lon: e.Lon}),
		organisation: b.organisations.id(organisation{id: e.OrganisationID, name: canonical(e.Organisation)}),
		kind:         b.labels.id(canonical(string(e.Kind))),
		closesOn:     e.ClosesOn, vettedUntil: e.VettedUntil,
		flags: flagsOf(&e.Opening),
	}
	c := cold{
		id: e.ID, version: e.Version, confidence: e.SkillConfidence,
		placesLeft: int64(e.PlacesLeft), minAge: int32(e.MinAge), maxAge: int32(e.MaxAge), //nolint:gosec // ages
		startsOn: e.StartsOn, publishedOn: e.PublishedOn,
		title:     b.texts.id(canonical(packText(e.Title))),
		languages: b.lists.id(canonical(packLanguages(e.Languages))),
		documents: b.lists.id(canonical(packDocuments(e.Documents))),
		vetting:   b.labels.id(canonical(string(e.Vetting))),
		basis:     b.labels.id(canonical(string(e.SkillBasis))),
	}
	if e.Wage != nil {
		wage := *e.Wage
		wage.Currency, wage.Period = canonical(wage.Currency), onward.WagePeriod(canonical(string(wage.Period)))
		c.wage = b.wages.id(wage)
	}
	if e.HoursPerWeek != nil {
		c.hoursPerWeek = *e.HoursPerWeek
	}
	b.append(e.Scale, h, c)
	for _, skill := range e.Skills {
		skill.SkillID = canonical(skill.SkillID)
		b.segment.skills = append(b.segment.skills, b.weighted.id(skill))
		if h.flags.has(isNeutral) {
			continue
		}
		number := b.skillNumber(skill.SkillID)
		if skill.Essential {
			b.essential[number] = append(b.essential[number], doc)
		} else {
			b.optional[number] = append(b.optional[number], doc)
		}
	}
	b.endSkills()
	b.text.add(doc, e.SearchTitle, e.SearchText)
}

func (b *builder) append(scale float64, h hot, c cold) {
	if h.flags.has(isNeutral) {
		b.segment.neutral = append(b.segment.neutral, uint32(len(b.segment.hot))) //nolint:gosec // fewer than 2^32
	}
	b.segment.scales = append(b.segment.scales, scale)
	b.segment.maxPortability = max(b.segment.maxPortability, h.portability)
	b.segment.hot = append(b.segment.hot, h)
	b.segment.cold = append(b.segment.cold, c)
}

func (b *builder) endSkills() {
	b.segment.skillsAt = append(b.segment.skillsAt, uint32(len(b.segment.skills))) //nolint:gosec // fewer than 2^32
}

func (b *builder) skillNumber(id string) uint32 {
	number := b.skillNumbers.id(id)
	for len(b.essential) <= int(number) {
		b.essential = append(b.essential, nil)
		b.optional = append(b.optional, nil)
	}
	return number
}

// seal finishes the segment; text is its words.
func (b *builder) seal(text words) *segment {
	s := &b.segment
	s.skills = slices.Clip(s.skills)
	s.neutral = slices.Clip(s.neutral)
	s.weighted = b.weighted.sealed()
	s.skillNumbers = b.skillNumbers.ids
	s.essential, s.optional = flatten(b.essential), flatten(b.optional)
	s.text = text
	s.places, s.organisations = b.places.sealed(), b.organisations.sealed()
	s.labels, s.texts, s.lists = b.labels.sealed(), b.texts.sealed(), b.lists.sealed()
	s.wages = b.wages.sealed()
	s.cache = make([]atomic.Pointer[cachedOpening], min(max(len(s.hot), 1), openingCache))
	return s
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

func packText(text onward.Text) string {
	var b strings.Builder
	for i, language := range slices.Sorted(maps.Keys(text)) {
		if i > 0 {
			b.WriteString(itemMark)
		}
		b.WriteString(language + fieldMark + text[language])
	}
	return b.String()
}

// merge makes one segment of the living openings of several, in their order.
func merge(views []view) *segment {
	size := 0
	for _, v := range views {
		size += v.live
	}
	b := newBuilder(views[0].segment.country, size)
	moves := make([][]uint32, len(views))
	for i, v := range views {
		moves[i] = b.addSegment(v)
	}
	for i, v := range views {
		for id, number := range v.segment.skillNumbers {
			b.moveList(id, v.segment.essential.of(number), moves[i], true)
			b.moveList(id, v.segment.optional.of(number), moves[i], false)
		}
	}
	return b.seal(mergeWords(views, moves))
}

// dropped is the new number of an opening that is gone.
const dropped = ^uint32(0)

// addSegment appends the living openings of a segment and tells their new numbers.
func (b *builder) addSegment(v view) []uint32 {
	s := v.segment
	moved := make([]uint32, len(s.hot))
	places, organisations := newRemap(s.places, &b.places), newRemap(s.organisations, &b.organisations)
	labels, texts, lists := newRemap(s.labels, &b.labels), newRemap(s.texts, &b.texts), newRemap(s.lists, &b.lists)
	wages, weighted := newRemap(s.wages, &b.wages), newRemap(s.weighted, &b.weighted)
	for doc := range s.hot {
		if v.dead.has(uint32(doc)) { //nolint:gosec // fewer than 2^32
			moved[doc] = dropped
			continue
		}
		moved[doc] = uint32(len(b.segment.hot)) //nolint:gosec // fewer than 2^32
		h, c := s.hot[doc], s.cold[doc]
		h.place, h.organisation, h.kind = places.id(h.place), organisations.id(h.organisation), labels.id(h.kind)
		c.title, c.languages, c.documents = texts.id(c.title), lists.id(c.languages), lists.id(c.documents)
		c.vetting, c.basis = labels.id(c.vetting), labels.id(c.basis)
		if h.flags.has(hasWage) {
			c.wage = wages.id(c.wage)
		}
		b.append(s.scales[doc], h, c)
		for _, number := range s.skills[s.skillsAt[doc]:s.skillsAt[doc+1]] {
			b.segment.skills = append(b.segment.skills, weighted.id(number))
		}
		b.endSkills()
	}
	return moved
}

func (b *builder) moveList(skill string, docs, moved []uint32, essential bool) {
	var list *[]uint32
	for _, doc := range docs {
		if moved[doc] == dropped {
			continue
		}
		if list == nil { // a skill that nobody living has is left behind
			number := b.skillNumber(skill)
			list = &b.optional[number]
			if essential {
				list = &b.essential[number]
			}
		}
		*list = append(*list, moved[doc])
	}
}
