package memory

import (
	"sync/atomic"

	"onward"
	"onward/matcher"
)

// segment holds openings of one country and never changes once it is made. Openings are numbered from 0 in the order of
// their keys (see key); all that is said in words is kept once, in a table, and numbered too. Nothing in the large arrays
// is a pointer, so that the garbage collector passes over them.
type segment struct {
	country string
	scales  []float64
	hot     []hot
	cold    []cold

	openings lookup // by id

	// What an opening's skills are, in its order: skills from skillsAt[i] to skillsAt[i+1] are numbers in weighted.
	skillsAt []uint32
	skills   numbers
	weighted []matcher.OpeningSkill
	// Numbers of the same skill (essential, optional, other weights) are a chain: one is found by the id, and nextOf is for
	// each the next one + 1 (0: none).
	skillIDs lookup
	nextOf   []uint32

	blocks blocks
	text   words

	places        []place
	organisations []organisation
	kinds         []string
	labels        []string // vetting states, skill bases
	texts         []string // titles, packed
	lists         []string // languages and documents, packed
	wages         []onward.Wage
	terms         []terms
	shares        []float64 // values of portability

	cache []atomic.Pointer[cachedOpening] // by number, modulo its length
}

// hot is what ranking reads of an opening. The order of fields leaves no gaps: 24 bytes.
type hot struct {
	place        uint32
	organisation uint32
	portability  uint32
	closesOn     onward.Date
	vettedUntil  onward.Date
	kind         uint16
	flags        flags
}

// cold is what only an answer shows: 48 bytes.
type cold struct {
	id          onward.ID
	version     int64
	placesLeft  int32
	startsOn    onward.Date
	publishedOn onward.Date
	title       uint32
	wage        uint32
	terms       uint32
}

// terms is what many openings have in common.
type terms struct {
	confidence   float64
	hoursPerWeek float64
	minAge       int32
	maxAge       int32
	languages    uint32
	documents    uint32
	vetting      uint32
	basis        uint32
}

type flags uint16

const (
	isRemote flags = 1 << iota
	isAssisted
	isNeutral
	isVetted
	isFictional
	isHazardous
	hasHours
	hasWage
	hasFlexibleTime
	isFlexibleTime
	hasChildcare
	isChildcare
)

func (f flags) has(flag flags) bool { return f&flag != 0 }

func (f *flags) set(flag flags, on bool) {
	if on {
		*f |= flag
	}
}

type place struct {
	id       onward.PlaceID
	name     string
	lat, lon float64
}

type organisation struct {
	id   onward.ID
	name string
}

// numbersOf calls yield with each number that stands for a skill.
func (s *segment) numbersOf(skill string, yield func(number uint32)) {
	number, ok := s.findSkill(skill, hashOfSkill(skill))
	for ok {
		yield(number)
		next := s.nextOf[number]
		number, ok = next-1, next != 0
	}
}

// openingCache is how many openings a segment keeps put together, at most: what one person's list needs the next one's
// often needs too. At under a kilobyte each it stays below 16 MB.
const openingCache = 1 << 14

type cachedOpening struct {
	doc     uint32
	opening matcher.Opening
}

// opening is an opening exactly as it was put in. What is in it is shared with others who got it: it is only read.
func (s *segment) opening(doc uint32) matcher.Opening {
	slot := &s.cache[doc%uint32(len(s.cache))] //nolint:gosec // at most openingCache
	if cached := slot.Load(); cached != nil && cached.doc == doc {
		return cached.opening
	}
	cached := &cachedOpening{doc: doc, opening: s.assemble(doc)}
	slot.Store(cached)
	return cached.opening
}

// assemble puts an opening together again.
func (s *segment) assemble(doc uint32) matcher.Opening {
	h, c := &s.hot[doc], &s.cold[doc]
	at, by, under := s.places[h.place], s.organisations[h.organisation], &s.terms[c.terms]
	o := matcher.Opening{
		ID: c.id, Version: c.version, OrganisationID: by.id, Organisation: by.name,
		Kind: onward.Kind(s.kinds[h.kind]), Title: unpackText(s.texts[c.title]), Country: s.country,
		Fictional: h.flags.has(isFictional), SkillBasis: onward.SkillBasis(s.labels[under.basis]),
		SkillConfidence: under.confidence, Scale: s.scales[doc],
		PlaceID: at.id, Place: at.name, Lat: at.lat, Lon: at.lon,
		Remote: h.flags.has(isRemote), Assisted: h.flags.has(isAssisted), Portability: s.shares[h.portability],
		PlacesLeft: int(c.placesLeft), Languages: unpackLanguages(s.lists[under.languages]),
		Documents: unpackDocuments(s.lists[under.documents]), MinAge: int(under.minAge), MaxAge: int(under.maxAge),
		Hazardous: h.flags.has(isHazardous), StartsOn: c.startsOn, ClosesOn: h.closesOn, PublishedOn: c.publishedOn,
		Vetting: onward.VettingStatus(s.labels[under.vetting]), VettedUntil: h.vettedUntil,
	}
	if from, to := s.skillsAt[doc], s.skillsAt[doc+1]; from < to {
		o.Skills = make([]matcher.OpeningSkill, 0, to-from)
		for i := from; i < to; i++ {
			o.Skills = append(o.Skills, s.weighted[s.skills.at(i)])
		}
	}
	if h.flags.has(hasWage) {
		wage := s.wages[c.wage]
		o.Wage = &wage
	}
	if h.flags.has(hasHours) {
		hours := under.hoursPerWeek
		o.HoursPerWeek = &hours
	}
	o.FlexibleTime = h.flags.maybe(hasFlexibleTime, isFlexibleTime)
	o.Childcare = h.flags.maybe(hasChildcare, isChildcare)
	return o
}

func (f flags) maybe(known, yes flags) *bool {
	if !f.has(known) {
		return nil
	}
	is := f.has(yes)
	return &is
}
