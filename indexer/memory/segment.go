package memory

import (
	"strings"
	"sync/atomic"

	"onward"
	"onward/matcher"
)

// segment holds openings of one country and never changes once it is made. Openings are numbered from 0; all that is
// said in words is kept once, in a table, and numbered too. Nothing in the large arrays is a pointer, so that the
// garbage collector passes over them.
type segment struct {
	country string
	scales  []float64 // apart from hot, because most openings are ruled out by this and their sum alone
	hot     []hot
	cold    []cold

	maxPortability float64

	// What an opening's skills are, in its order: skills[skillsAt[i]:skillsAt[i+1]] are numbers in weighted.
	skillsAt []uint32
	skills   []uint32
	weighted []matcher.OpeningSkill

	// Who has a skill: essential.of(number), optional.of(number).
	skillNumbers map[string]uint32
	essential    postings
	optional     postings
	neutral      []uint32 // openings without skills

	text words

	places        []place
	organisations []organisation
	labels        []string // kinds, vetting states, skill bases
	texts         []string // titles, packed
	lists         []string // languages and documents, packed
	wages         []onward.Wage

	cache []atomic.Pointer[cachedOpening] // by number, modulo its length
}

// hot is what ranking reads of an opening. The order of fields leaves no gaps: 32 bytes.
type hot struct {
	portability  float64
	place        uint32
	organisation uint32
	kind         uint32
	closesOn     onward.Date
	vettedUntil  onward.Date
	flags        flags
}

// cold is what only an answer shows.
type cold struct {
	id           onward.ID
	version      int64
	confidence   float64
	hoursPerWeek float64
	placesLeft   int64
	minAge       int32
	maxAge       int32
	startsOn     onward.Date
	publishedOn  onward.Date
	title        uint32
	languages    uint32
	documents    uint32
	wage         uint32
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

// postings are lists of openings, in ascending order, one list per number.
type postings struct {
	at   []uint32
	docs []uint32
}

func (p *postings) of(number uint32) []uint32 { return p.docs[p.at[number]:p.at[number+1]] }

func flatten(lists [][]uint32) postings {
	total := 0
	for _, list := range lists {
		total += len(list)
	}
	p := postings{at: make([]uint32, len(lists)+1), docs: make([]uint32, 0, total)}
	for i, list := range lists {
		p.docs = append(p.docs, list...)
		p.at[i+1] = uint32(len(p.docs)) //nolint:gosec // fits: a list has as many entries as openings
	}
	return p
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
	at, by := s.places[h.place], s.organisations[h.organisation]
	o := matcher.Opening{
		ID: c.id, Version: c.version, OrganisationID: by.id, Organisation: by.name,
		Kind: onward.Kind(s.labels[h.kind]), Title: unpackText(s.texts[c.title]), Country: s.country,
		Fictional: h.flags.has(isFictional), SkillBasis: onward.SkillBasis(s.labels[c.basis]),
		SkillConfidence: c.confidence, Scale: s.scales[doc],
		PlaceID: at.id, Place: at.name, Lat: at.lat, Lon: at.lon,
		Remote: h.flags.has(isRemote), Assisted: h.flags.has(isAssisted), Portability: h.portability,
		PlacesLeft: int(c.placesLeft), Languages: unpackLanguages(s.lists[c.languages]),
		Documents: unpackDocuments(s.lists[c.documents]), MinAge: int(c.minAge), MaxAge: int(c.maxAge),
		Hazardous: h.flags.has(isHazardous), StartsOn: c.startsOn, ClosesOn: h.closesOn, PublishedOn: c.publishedOn,
		Vetting: onward.VettingStatus(s.labels[c.vetting]), VettedUntil: h.vettedUntil,
	}
	if numbers := s.skills[s.skillsAt[doc]:s.skillsAt[doc+1]]; len(numbers) > 0 {
		o.Skills = make([]matcher.OpeningSkill, len(numbers))
		for i, number := range numbers {
			o.Skills[i] = s.weighted[number]
		}
	}
	if h.flags.has(hasWage) {
		wage := s.wages[c.wage]
		o.Wage = &wage
	}
	if h.flags.has(hasHours) {
		hours := c.hoursPerWeek
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

// Texts and lists are packed into one string each, because strings can be numbered in a dict and maps can't. The
// separators are control characters that validated text does not contain.
const (
	fieldMark = "\x1f"
	itemMark  = "\x1e"
)

func unpackText(packed string) onward.Text {
	if packed == "" {
		return nil
	}
	text := make(onward.Text, 1+strings.Count(packed, itemMark))
	for item := range strings.SplitSeq(packed, itemMark) {
		language, value, _ := strings.Cut(item, fieldMark)
		text[language] = value
	}
	return text
}

func packLanguages(needs []onward.LanguageNeed) string {
	var b strings.Builder
	for i, need := range needs {
		if i > 0 {
			b.WriteString(itemMark)
		}
		b.WriteString(need.Language + fieldMark + string(need.Level))
		if need.Essential {
			b.WriteString(fieldMark)
		}
	}
	return b.String()
}

func unpackLanguages(packed string) []onward.LanguageNeed {
	if packed == "" {
		return nil
	}
	needs := make([]onward.LanguageNeed, 0, 1+strings.Count(packed, itemMark))
	for item := range strings.SplitSeq(packed, itemMark) {
		language, rest, _ := strings.Cut(item, fieldMark)
		level, _, essential := strings.Cut(rest, fieldMark)
		needs = append(needs, onward.LanguageNeed{Language: language, Level: onward.CEFR(level), Essential: essential})
	}
	return needs
}

func packDocuments(documents []onward.DocumentKind) string {
	var b strings.Builder
	for i, document := range documents {
		if i > 0 {
			b.WriteString(itemMark)
		}
		b.WriteString(string(document))
	}
	return b.String()
}

func unpackDocuments(packed string) []onward.DocumentKind {
	if packed == "" {
		return nil
	}
	documents := make([]onward.DocumentKind, 0, 1+strings.Count(packed, itemMark))
	for item := range strings.SplitSeq(packed, itemMark) {
		documents = append(documents, onward.DocumentKind(item))
	}
	return documents
}
