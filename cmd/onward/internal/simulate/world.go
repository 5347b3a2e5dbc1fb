package simulate

import (
	"slices"
	"strings"

	"onward"
)

// World holds the assumptions of a programme. How people truly live and work differs in form from what the matcher takes
// them to do: people are of kinds that the matcher does not know, go by rules and not by odds, and keep jobs by thresholds and
// luck. All numbers are judgement; they were set before the first run, and every other world changes one of them.
type World struct {
	Name string `json:"name"`
	What string `json:"what"` // in which way it is another one than the first

	// Shares of the kinds of mover; they add up to 1. Homeward: ends in the community of origin. Network: where kin or an
	// earlier life is. Opportunity: the first city on the way that offers enough (intervening opportunities). Leaver: abroad.
	Homeward    float64 `json:"homeward"`
	Network     float64 `json:"network"`
	Opportunity float64 `json:"opportunity"`
	Leaver      float64 `json:"leaver"`

	// OpeningsPerPerson against about 1.7 places an opening.
	OpeningsPerPerson float64 `json:"openings_per_person"`
	// KinRecorded is how much of the kin a counsellor knows of, and SkillRecorded how many of the skills.
	KinRecorded   float64 `json:"kin_recorded"`
	SkillRecorded float64 `json:"skill_recorded"`
	// HireAbove and HireBelow are the chances of being taken with enough and with clearly too few of the essential skills.
	HireAbove float64 `json:"hire_above"`
	HireBelow float64 `json:"hire_below"`
	// KeptByWork is how many of those who would move away from a job stay for it.
	KeptByWork float64 `json:"kept_by_work"`
}

// Worlds lists the first world, which the aims are held against, and others that change one assumption each.
func Worlds() []World {
	first := World{
		Name: "base", What: "the assumptions as first set",
		Homeward: 0.45, Network: 0.27, Opportunity: 0.23, Leaver: 0.05,
		OpeningsPerPerson: 3, KinRecorded: 0.7, SkillRecorded: 0.6, HireAbove: 0.8, HireBelow: 0.05, KeptByWork: 0.35,
	}
	change := func(name, what string, change func(*World)) World {
		w := first
		w.Name, w.What = name, what
		change(&w)
		return w
	}
	return []World{
		first,
		change("homeward", "four in five end in the community of origin", func(w *World) {
			w.Homeward, w.Network, w.Opportunity, w.Leaver = 0.80, 0.10, 0.07, 0.03
		}),
		change("gravity", "most go to the first city that offers enough", func(w *World) {
			w.Homeward, w.Network, w.Opportunity, w.Leaver = 0.15, 0.15, 0.60, 0.10
		}),
		change("unknown-kin", "counsellors know a quarter of the kin", func(w *World) { w.KinRecorded = 0.25 }),
		change("thin-profiles", "three in ten skills are recorded", func(w *World) { w.SkillRecorded = 0.3 }),
		change("skills-matter-little", "employers hardly look at skills", func(w *World) { w.HireAbove, w.HireBelow = 0.55, 0.35 }),
		change("scarce", "one opening for two people", func(w *World) { w.OpeningsPerPerson = 0.5 }),
	}
}

// WorldNamed finds a world by its name. EInvalid when there is none.
func WorldNamed(name string) (World, error) {
	var names []string
	for _, w := range Worlds() {
		if w.Name == name {
			return w, nil
		}
		names = append(names, w.Name)
	}
	slices.Sort(names)
	return World{}, onward.Errorf(onward.EInvalid, "there is no world %q; there are %s", name, strings.Join(names, ", "))
}

const (
	country  = "MX"
	currency = "MXN"

	horizonDays = 180 // after the referral
	startDay    = 30  // of work
	// commuteKm is the median of how far people go to work, with a spread of half as much again either way.
	commuteKm     = 25
	commuteSpread = 0.4

	// originFlatter draws communities of origin by population to this power: returnees come from small towns more often
	// than people in general.
	originFlatter = 0.7
	// sizeOfJobs draws openings by population to this power: work is in cities more than people are.
	sizeOfJobs = 1.05
)
