package matcher_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"onward"
	"onward/matcher"
	"onward/matcher/destination"
	"onward/matcher/skills"
)

// world is a made-up country with a taxonomy of ESCO's shape, a person with 12 skills and two jobs, and openings.
type world struct {
	taxonomy  *skills.Taxonomy
	gazetteer *destination.Gazetteer
	model     *destination.Model
	returnee  onward.ReturneeDetails
	openings  []matcher.Opening
}

func newWorld(tb testing.TB, openings int) world {
	tb.Helper()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a benchmark
	release := onward.Taxonomy{Release: "synthetic"}
	const skillCount, occupationCount = 5000, 1000
	skill := syntheticSkill
	for i := range skillCount {
		release.Concepts = append(release.Concepts, onward.Concept{ID: skill(i), Kind: onward.ConceptSkill, Labels: []onward.Label{{Language: "en", Text: fmt.Sprint("skill ", i), Preferred: true}}})
		release.Relations = append(release.Relations, onward.Relation{From: skill(i), To: skill(i - i%15), Kind: onward.RelationBroader})
	}
	for o := range occupationCount {
		id := fmt.Sprint("occupation/", o)
		release.Concepts = append(release.Concepts, onward.Concept{ID: id, Kind: onward.ConceptOccupation})
		for range 40 {
			kind := []onward.RelationKind{onward.RelationEssential, onward.RelationOptional}[random.IntN(2)]
			release.Relations = append(release.Relations, onward.Relation{From: id, To: skill((o*5 + random.IntN(80)) % skillCount), Kind: kind})
		}
	}
	taxonomy, err := skills.New(release)
	if err != nil {
		tb.Fatal(err)
	}
	var places []onward.Place
	for i := range 1300 {
		places = append(places, onward.Place{ID: onward.PlaceID(i + 1), Name: fmt.Sprint("Centre ", i), Country: "MX", Lat: 16 + 14*random.Float64(), Lon: -114 + 24*random.Float64(), Population: 15_000 + int(300_000/(1+float64(i)))})
	}
	w := world{taxonomy: taxonomy, gazetteer: destination.NewGazetteer("MX", places), returnee: mason()}
	w.model = destination.NewModel(w.gazetteer, destination.Priors())
	w.returnee.Skills = nil
	for i := range 12 {
		w.returnee.Skills = append(w.returnee.Skills, onward.ReturneeSkill{SkillID: skill(100 + i*7), Level: onward.LevelWorking, LastUsedYear: 2024})
	}
	w.returnee.Experience = []onward.Experience{{OccupationID: "occupation/20", Years: 4}, {OccupationID: "occupation/31", Years: 2}}
	w.returnee.Places = []onward.PersonPlace{{PlaceID: 40, Relation: onward.PlaceOrigin}, {PlaceID: 1, Relation: onward.PlaceKin}, {PlaceID: 9, Relation: onward.PlaceCurrent, RecordedOn: today()}}
	w.returnee.Preferences = onward.Preferences{ReservationMinor: ptr[int64](900_000), Currency: "MXN", Kinds: []onward.Kind{onward.Job, onward.Cooperative}}
	for i := range openings {
		o := onward.Opportunity{ID: onward.ID{14: byte(i >> 8), 15: byte(i)}, OrganisationID: id(1)}
		published := today().AddDays(-random.IntN(90)).Time()
		o.PublishedAt = &published
		o.OpportunityDetails = onward.OpportunityDetails{
			Kind: onward.Kinds()[i%7], Title: onward.Text{"es": "Puesto"}, Capacity: 3, Vetting: onward.VettingPassed, Housing: i%10 == 0, Remote: i%15 == 0,
			Documents: []onward.DocumentKind{onward.NationalID, onward.DrivingLicence}[:1+i%2], StartsOn: today().AddDays(20),
			Wage: &onward.Wage{MinMinor: 700_000, MaxMinor: 1_200_000, Currency: "MXN", Period: onward.PerMonth},
		}
		for k := range 12 {
			o.Skills = append(o.Skills, onward.OpportunitySkill{SkillID: skill(90 + random.IntN(120)), Essential: k%2 == 0})
		}
		place := places[[]int{39, 0, 8, random.IntN(1300)}[i%4]]
		o.PlaceID = place.ID
		w.openings = append(w.openings, matcher.NewOpening(o, place, "MX", taxonomy))
	}
	return w
}

func syntheticSkill(i int) string { return fmt.Sprintf("skill/%08x-5c15-4ffa-abed-5a43f104bb22", i) }

func BenchmarkRank(b *testing.B) {
	for _, count := range []int{300, 1000} {
		w := newWorld(b, count)
		person := matcher.NewPerson(w.returnee, w.taxonomy, today())
		reach := matcher.NewReach(w.model.Predict(destination.NewPerson(w.returnee), today()), w.gazetteer, person)
		b.Run(fmt.Sprintf("openings=%d", count), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if result := matcher.Rank(person, reach, w.openings, matcher.Options{Today: today(), Language: "en"}); len(result.Referrals) != 20 {
					b.Fatalf("%d listed", len(result.Referrals))
				}
			}
		})
	}
}

// BenchmarkRequest is everything of a referral request that is the matcher's, but for the index.
func BenchmarkRequest(b *testing.B) {
	w := newWorld(b, 300)
	options := matcher.Options{Today: today(), Language: "en"}
	b.Run("places=1300,openings=300", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			person := matcher.NewPerson(w.returnee, w.taxonomy, today())
			reach := matcher.NewReach(w.model.Predict(destination.NewPerson(w.returnee), today()), w.gazetteer, person)
			person.Query(reach, w.gazetteer, options, 300)
			matcher.Rank(person, reach, w.openings, options)
		}
	})
	b.Run("part=NewPerson", func(b *testing.B) {
		for b.Loop() {
			matcher.NewPerson(w.returnee, w.taxonomy, today())
		}
	})
	person := matcher.NewPerson(w.returnee, w.taxonomy, today())
	spread := w.model.Predict(destination.NewPerson(w.returnee), today())
	b.Run("part=NewReach", func(b *testing.B) {
		for b.Loop() {
			matcher.NewReach(spread, w.gazetteer, person)
		}
	})
	reach := matcher.NewReach(spread, w.gazetteer, person)
	b.Run("part=Query", func(b *testing.B) {
		for b.Loop() {
			person.Query(reach, w.gazetteer, options, 300)
		}
	})
	query := person.Query(reach, w.gazetteer, options, 300)
	b.Logf("%d skills, %d places in the query", len(query.Skills), len(reach.Places))
}
