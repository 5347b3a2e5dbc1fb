package demo

import (
	"fmt"
	"math"

	"onward"
)

// How many openings of each kind there are, out of OpportunityCount.
var kindShares = []struct {
	kind  onward.Kind
	share float64
}{
	{onward.Job, 0.63},
	{onward.Apprenticeship, 0.08},
	{onward.Training, 0.10},
	{onward.EnterpriseGrant, 0.05},
	{onward.Cooperative, 0.04},
	{onward.CashForWork, 0.05},
	{onward.ProjectPlace, 0.05},
}

// makeOpportunities makes the openings of all kinds, in mixed order.
func (g *generator) makeOpportunities() []Opportunity {
	g.stream(2)
	var kinds []onward.Kind
	for _, k := range kindShares[1:] {
		for range int(k.share * OpportunityCount) {
			kinds = append(kinds, k.kind)
		}
	}
	for len(kinds) < OpportunityCount {
		kinds = append(kinds, kindShares[0].kind)
	}
	g.Shuffle(len(kinds), func(i, k int) { kinds[i], kinds[k] = kinds[k], kinds[i] })

	o := openings{
		generator: g, industry: map[industryKey]industry{}, jobs: map[industryKey]lottery[job]{},
		apprentices: newLottery(jobs, func(j job) float64 {
			if j.flags&apprentices == 0 {
				return 0
			}
			return j.weight
		}),
		shares:     newLottery(industries, func(i industry) float64 { return i.share }),
		posters:    map[roleOfPosts][]poster{},
		programmes: map[onward.Kind]lottery[programme]{},
	}
	for _, i := range industries {
		o.industry[i.key] = i
		o.jobs[i.key] = newLottery(jobs, func(j job) float64 {
			if j.industry != i.key {
				return 0
			}
			return j.weight
		})
	}
	for _, k := range onward.Kinds() {
		o.programmes[k] = newLottery(programmes, func(p programme) float64 {
			if p.kind != k {
				return 0
			}
			return p.weight
		})
	}
	for _, r := range []roleOfPosts{trains, funds, cooperates, publicWorks} {
		o.posters[r] = g.postersFor(r)
	}
	list := make([]Opportunity, len(kinds))
	for i, kind := range kinds {
		switch kind {
		case onward.Job:
			list[i] = o.job()
		case onward.Apprenticeship:
			list[i] = o.apprenticeship()
		default:
			list[i] = o.programme(kind)
		}
		list[i].Details.ExternalID = fmt.Sprintf("OP-%05d", i+1)
	}
	return list
}

type openings struct {
	*generator
	industry    map[industryKey]industry
	shares      lottery[industry]
	jobs        map[industryKey]lottery[job]
	apprentices lottery[job]
	posters     map[roleOfPosts][]poster
	programmes  map[onward.Kind]lottery[programme]
}

// job makes an opening for paid work.
func (o *openings) job() Opportunity {
	in := o.shares.pick(o.draw)
	j := o.jobs[in.key].pick(o.draw)
	place := o.atlas.jobs[in.key].pick(o.draw)
	for j.flags&atSea != 0 && !o.atlas.coast[place.ID] {
		place = o.atlas.jobs[in.key].pick(o.draw)
	}
	by := o.postedBy(o.generator.posters[in.key], place.ID)
	occ := o.occupation(j.occupation)
	at := o.shift(in, j)
	d := onward.OpportunityDetails{
		Kind: onward.Job, PlaceID: place.ID, Hazardous: j.flags&hazardous != 0, HoursPerWeek: &at.hours,
		Housing: at.liveIn || o.chance(in.housing),
	}
	d.Relocation = o.chance(in.moving)
	if j.flags&remote != 0 && o.chance(0.45) {
		d.Remote = true
		d.RemoteAbroad = in.key == computing && o.chance(0.4)
		if o.chance(0.5) {
			d.PlaceID = 0
		}
	}
	o.dates(&d, 10, 90)
	o.vetting(&d, 0.68)
	o.skills(&d, occ, 0.12)
	d.Capacity = o.capacity(in, by)
	d.Wage = o.wage(j, in, place, at.hours)
	d.Documents = o.papers(in, j)
	d.Languages = o.languages(in, j, place)
	if j.flags&(adults|hazardous) != 0 {
		d.MinAge = 18
	}
	if at.flexible {
		d.FlexibleTime = pointer(true)
	} else if o.chance(0.55) {
		d.FlexibleTime = pointer(false)
	}
	switch {
	case by.size >= 2 && o.chance(0.12):
		d.Childcare = pointer(true)
	case o.chance(0.4):
		d.Childcare = pointer(false)
	}
	// Crews that go from site to site want someone who drives.
	mobile := in.key == building && j.low >= 11 && !d.Remote && o.chance(0.13)
	base := o.title(j, occ)
	if mobile {
		d.Documents = distinctKinds(append(d.Documents, licence...))
		d.Title = phrase{base.es + " – cuadrilla móvil", base.en + " – mobile crew"}.text()
		d.Description = o.described(occ, in, at, d, place).then(phrase{"Se turnan para manejar la camioneta de la cuadrilla.", "The crew take turns driving its pickup."}).text()
		return Opportunity{by.slug, d}
	}
	d.Title = o.named(base, j, in, at, d, place).text()
	d.Description = o.described(occ, in, at, d, place).text()
	return Opportunity{by.slug, d}
}

func (o *openings) shift(in industry, j job) shift {
	shifts := in.shifts
	if j.flags&officeDay != 0 {
		shifts = officeShifts
	}
	at, _ := weighted(o.draw, shifts, func(s *shift) float64 { return s.weight })
	return at
}

// dates: open for some weeks or months, then a start, or "as soon as agreed".
func (o *openings) dates(d *onward.OpportunityDetails, least, most int) {
	d.ClosesOn = o.today.AddDays(o.between(least, most))
	if o.chance(0.72) {
		d.StartsOn = d.ClosesOn.AddDays(o.between(1, 28))
	}
}

// vetting: most were checked; of some nobody knows.
func (o *openings) vetting(d *onward.OpportunityDetails, passed float64) {
	d.Vetting = onward.VettingUnknown
	if o.chance(passed) {
		d.Vetting = onward.VettingPassed
		d.VettedUntil = d.ClosesOn.AddDays(o.between(30, 240))
	}
}

// skills codes four to eight of the occupation's skills; in a share of openings nobody coded any, in a few not even the
// occupation is known.
func (o *openings) skills(d *onward.OpportunityDetails, occ occupation, uncoded float64) {
	if o.chance(uncoded / 8) {
		return
	}
	d.OccupationID = occ.id
	if o.chance(uncoded) {
		return
	}
	n := o.between(4, 8)
	for i, s := range occ.essential {
		if len(d.Skills) == n {
			break
		}
		if i < 3 || o.chance(0.85) {
			d.Skills = append(d.Skills, onward.OpportunitySkill{SkillID: s.id, Essential: o.chance(0.92)})
		}
	}
	for _, s := range some(o.draw, occ.optional, max(0, min(3, n-len(d.Skills)))) {
		d.Skills = append(d.Skills, onward.OpportunitySkill{SkillID: s.id})
	}
}

func (o *openings) capacity(in industry, by poster) int {
	switch {
	case by.posts == small || by.posts == placesPeople:
		return o.between(1, 2)
	case in.key == assembly || in.key == automotive || in.key == farming || in.key == callCentre:
		if o.chance(0.25) {
			return o.between(6, 15)
		}
		return o.between(1, 5)
	default:
		return 1 + o.IntN(o.between(1, 5))
	}
}

// wage is what such work pays there, never under the minimum wage.
func (o *openings) wage(j job, in industry, place onward.Place, hours float64) *onward.Wage {
	if o.chance(0.06) {
		return nil // "según aptitudes"
	}
	border := o.atlas.border[place.ID]
	share := hours / 48
	if hours < 48 && hours >= 40 {
		share = 1 // a month's wage, whether the week has 40 or 48 hours
	}
	level := o.atlas.wageLevel(place) * share * 1000
	low := level * o.within(j.low, (j.low+j.high)/2)
	high := low * o.within(1.05, 1.25)
	floor := o.minimum.perMonth(border, max(hours, 48*share))
	low, high = max(low, floor), max(high, floor*1.02)
	round := func(pesos, step float64) int64 { return int64(math.Ceil(pesos/step-1e-9) * step * 100) }
	switch in.pay {
	case byWeek:
		return &onward.Wage{MinMinor: round(low/weeksPerMonth, 10), MaxMinor: round(high/weeksPerMonth, 10), Currency: currency, Period: onward.PerWeek}
	case byDay:
		return &onward.Wage{MinMinor: round(low/weeksPerMonth/6, 5), MaxMinor: round(high/weeksPerMonth/6, 5), Currency: currency, Period: onward.PerDay}
	case byMonth:
	}
	return &onward.Wage{MinMinor: round(low, 100), MaxMinor: round(high, 100), Currency: currency, Period: onward.PerMonth}
}

// papers are those that such work really asks for.
func (o *openings) papers(in industry, j job) []onward.DocumentKind {
	var list []onward.DocumentKind
	if o.chance(0.9) {
		list = append(list, onward.NationalID)
	}
	if o.chance(in.formal) {
		list = append(list, onward.SocialSecurityNumber)
		if o.chance(0.75) {
			list = append(list, onward.TaxNumber)
		}
		if o.chance(0.3) {
			list = append(list, onward.BankAccount)
		}
		if o.chance(0.2) {
			list = append(list, onward.ProofOfAddress)
		}
	}
	list = append(list, j.papers...)
	if j.flags&schooled != 0 && o.chance(0.75) {
		list = append(list, onward.SchoolCertificate)
	}
	return distinctKinds(list)
}

func distinctKinds(list []onward.DocumentKind) []onward.DocumentKind {
	var kept []onward.DocumentKind
	seen := map[onward.DocumentKind]bool{}
	for _, k := range list {
		if !seen[k] {
			seen[k] = true
			kept = append(kept, k)
		}
	}
	return kept
}

func (o *openings) languages(in industry, j job, place onward.Place) []onward.LanguageNeed {
	var needs []onward.LanguageNeed
	if j.flags&(schooled|adults) != 0 && o.chance(0.4) {
		needs = append(needs, onward.LanguageNeed{Language: "es", Level: "B1", Essential: true})
	}
	switch {
	case j.flags&english != 0:
		level := onward.CEFR("B2")
		if j.occupation == "language-teacher" || j.occupation == "interpreter" {
			level = "C1"
		}
		if in.key == hotels && o.chance(0.4) {
			level = "B1"
		}
		needs = append(needs, onward.LanguageNeed{Language: "en", Level: level, Essential: in.key != hotels || o.atlas.resort[place.ID] || o.chance(0.5)})
	case j.flags&someEnglish != 0 && (in.key != hotels && in.key != kitchens || o.atlas.resort[place.ID]):
		needs = append(needs, onward.LanguageNeed{Language: "en", Level: one(o.draw, []onward.CEFR{"A2", "B1", "B1"}), Essential: o.atlas.resort[place.ID] && o.chance(0.4)})
	}
	return needs
}

// apprenticeship makes a place to learn a trade at work.
func (o *openings) apprenticeship() Opportunity {
	j := o.apprentices.pick(o.draw)
	in := o.industry[j.industry]
	place := o.atlas.jobs[in.key].pick(o.draw)
	among := o.posters[trains]
	for _, p := range o.generator.posters[in.key] {
		if p.posts == employs {
			among = append(among[:len(among):len(among)], p)
		}
	}
	by := o.postedBy(among, place.ID)
	occ := o.occupation(j.occupation)
	at := shift{40, phrase{"de lunes a viernes, ocho horas", "Monday to Friday, eight hours"}, phrase{}, 1, false, false}
	if o.chance(0.3) {
		at = shift{30, phrase{"de lunes a viernes, seis horas", "Monday to Friday, six hours"}, phrase{}, 1, true, false}
	}
	months := one(o.draw, []int{6, 6, 9, 12, 12})
	d := onward.OpportunityDetails{
		Kind: onward.Apprenticeship, PlaceID: place.ID, HoursPerWeek: &at.hours, Hazardous: j.flags&hazardous != 0,
		Capacity: o.between(1, 6), Housing: o.chance(in.housing / 2), CertificateAbroad: j.occupation == "welder" && o.chance(0.3),
	}
	o.dates(&d, 14, 100)
	o.vetting(&d, 0.78)
	o.skills(&d, occ, 0.2)
	for i := range d.Skills { // what is taught is not asked for
		d.Skills[i].Essential = d.Skills[i].Essential && o.chance(0.5)
	}
	stipend := int64(math.Ceil(o.minimum.general*30.4)) * 100
	d.Wage = &onward.Wage{MinMinor: stipend, MaxMinor: stipend, Currency: currency, Period: onward.PerMonth}
	d.Documents = []onward.DocumentKind{onward.NationalID}
	if o.chance(0.5) {
		d.Documents = append(d.Documents, onward.BankAccount)
	}
	if o.chance(0.3) {
		d.Documents = append(d.Documents, onward.ProofOfAddress)
	}
	switch r := o.Float64(); {
	case r < 0.35:
		d.MinAge, d.MaxAge = 18, 29
	case r < 0.6 || d.Hazardous:
		d.MinAge = 18
	default:
		d.MinAge = 16
	}
	if at.flexible {
		d.FlexibleTime = pointer(true)
	}
	d.Title = phrase{"Aprendiz de " + lower(occ.label.es), "Apprentice " + lower(occ.label.en)}.text()
	name := placeName(place)
	d.Description = o.tasks(occ, learningFrames).then(phrase{
		fmt.Sprintf("Son %d meses de aprendizaje pagado en %s, %s, junto a quien domina el oficio.", months, name.es, at.says.es),
		fmt.Sprintf("%d months of paid learning in %s, %s, beside someone who has mastered the trade.", months, name.en, at.says.en),
	}).text()
	return Opportunity{by.slug, d}
}

func pointer[T any](v T) *T { return &v }
