package importer_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"onward"
	"onward/cmd/onward/internal/importer"
	"onward/indexer/catalogue"
	"onward/internal/reference"
	"onward/internal/testenv"
	"onward/migrations"
	"onward/store"
	"onward/store/vault"
)

func TestMain(m *testing.M) {
	testenv.Main(m, testenv.WithTemplate(func(ctx context.Context, url string) error {
		if _, err := migrations.Apply(ctx, url); err != nil {
			return err
		}
		loader, err := store.OpenLoader(ctx, url)
		if err != nil {
			return err
		}
		return errors.Join(loader.LoadPlaces(ctx, store.Release{Release: "test"}, places), loader.Close())
	}))
}

var places = []onward.Place{
	{ID: 3979770, Name: "Zapopan", Country: "MX", Admin1: "14", Admin1Name: "Jalisco", Lat: 20.72, Lon: -103.39, Population: 1_476_491},
	{ID: 3522507, Name: "Oaxaca", AltNames: []string{"Oaxaca de Juárez"}, Country: "MX", Admin1: "20", Admin1Name: "Oaxaca", Lat: 17.06, Lon: -96.72, Population: 255_029},
	{ID: 3998655, Name: "León", Country: "MX", Admin1: "11", Admin1Name: "Guanajuato", Lat: 21.13, Lon: -101.67, Population: 1_579_803},
	{ID: 3117735, Name: "León", Country: "ES", Admin1: "55", Admin1Name: "Castille and León", Lat: 42.6, Lon: -5.57, Population: 122_051},
	{ID: 1, Name: "San Juan", Country: "MX", Admin1Name: "Querétaro", Lat: 20.3, Lon: -99.9, Population: 120_000},
	{ID: 2, Name: "San Juan", Country: "MX", Admin1Name: "Oaxaca", Lat: 17.3, Lon: -96.9, Population: 100_000},
	{ID: 5128581, Name: "New York City", Country: "US", Admin1: "NY", Admin1Name: "New York", Lat: 40.71, Lon: -74.0, Population: 8_804_190},
}

var today = onward.NewDate(2026, time.March, 1)

// bench is what a test of an import has: a database with one organisation, and who imports.
type bench struct {
	store *store.Store
	deps  importer.Deps
}

func setup(t testing.TB) bench {
	t.Helper()
	starter, err := reference.Starter()
	if err != nil {
		t.Fatal(err)
	}
	resolver, err := catalogue.New(places, []onward.Taxonomy{starter})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.New()
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{
		Vault: keys, URL: testenv.Postgres(t).AppDSN, Vocabulary: resolver, MaxConns: 4, Now: func() time.Time { return today.Time().Add(9 * time.Hour) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var organisation onward.Organisation
	err = db.InTx(t.Context(), onward.System(), func(tx *store.Tx) (err error) {
		organisation, err = tx.CreateOrganisation(t.Context(), onward.Organisation{Slug: "casa", Name: "Casa", Kind: onward.Agency, Country: "MX"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	actor := onward.Actor{OrganisationID: organisation.ID, Role: onward.RoleSupervisor}
	return bench{db, importer.Deps{Store: db, Resolver: resolver, Actor: actor}}
}

// opportunities imports a text and returns the problems.
func (b bench) opportunities(t *testing.T, text string, options importer.Options) (importer.Summary, []importer.Problem) {
	t.Helper()
	var problems []importer.Problem
	options.Problem = func(p importer.Problem) { problems = append(problems, p) }
	summary, err := importer.Opportunities(t.Context(), b.deps, strings.NewReader(text), options)
	if err != nil {
		t.Fatal(err)
	}
	return summary, problems
}

func (b bench) returnees(t *testing.T, text string, options importer.Options) (importer.Summary, []importer.Problem) {
	t.Helper()
	var problems []importer.Problem
	options.Problem = func(p importer.Problem) { problems = append(problems, p) }
	summary, err := importer.Returnees(t.Context(), b.deps, strings.NewReader(text), options)
	if err != nil {
		t.Fatal(err)
	}
	return summary, problems
}

func (b bench) list(t *testing.T) []onward.Opportunity {
	t.Helper()
	var page store.Page[onward.Opportunity]
	err := b.store.InTx(t.Context(), b.deps.Actor, func(tx *store.Tx) (err error) {
		page, err = tx.Opportunities(t.Context(), store.OpportunityFilter{}, store.Cursor{Limit: 100})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return page.Items
}

func counts(s importer.Summary) [4]int { return [4]int{s.Read, s.Created, s.Duplicates, s.Rejected} }

func TestAnOpportunityIsReadFromEveryColumn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deps.Actor = onward.Actor{OrganisationID: b.deps.Actor.OrganisationID, Role: onward.RoleSystem} // who may say that it is vetted
	text := "\xef\xbb\xbfExternal ID;kind;title;title_fr;description;occupation;essential_skills;optional_skills;place;country;remote;remote_abroad;" +
		"certificate_abroad;housing;relocation;capacity;languages;documents;min_age;max_age;hazardous;wage_min;wage_max;wage_currency;wage_period;" +
		"hours_per_week;flexible_time;childcare;starts_on;closes_on;vetting;vetted_until;publish\r\n" +
		"J-1;Cash for work;Albañil;Maçon;\"Se busca.\nUrgente; \"\"ya\"\"\";Bricklayer;lay bricks|onward/skill/mix-mortar;Plaster walls  and ceilings;León, Guanajuato;MX;no;;" +
		"sí;yes;1;3;es:b1!|en:A2;national_id|Driving licence;18;60;y;9500.505;12000;mxn;Monthly;" +
		"37.5;no;;2026-04-01T00:00:00Z;2026-03-31;passed;2026-12-31;yes\r\n"
	summary, problems := b.opportunities(t, text, importer.Options{Language: "es"})
	if counts(summary) != [4]int{1, 1, 0, 0} {
		t.Fatalf("%+v, %v", summary, problems)
	}
	o := b.list(t)[0]
	no := false
	hours := 37.5
	want := onward.OpportunityDetails{
		ExternalID: "J-1", Kind: onward.CashForWork, Title: onward.Text{"es": "Albañil", "fr": "Maçon"}, Description: onward.Text{"es": "Se busca.\nUrgente; \"ya\""},
		OccupationID: "onward/occupation/bricklayer",
		Skills:       []onward.OpportunitySkill{{SkillID: "onward/skill/lay-bricks", Essential: true}, {SkillID: "onward/skill/mix-mortar", Essential: true}, {SkillID: "onward/skill/plaster-walls"}},
		PlaceID:      3998655, CertificateAbroad: true, Housing: true, Relocation: true, Capacity: 3,
		Languages: []onward.LanguageNeed{{Language: "es", Level: "B1", Essential: true}, {Language: "en", Level: "A2"}},
		Documents: []onward.DocumentKind{onward.NationalID, onward.DrivingLicence}, MinAge: 18, MaxAge: 60, Hazardous: true,
		Wage:         &onward.Wage{MinMinor: 950_051, MaxMinor: 1_200_000, Currency: "MXN", Period: onward.PerMonth},
		HoursPerWeek: &hours, FlexibleTime: &no, StartsOn: onward.NewDate(2026, time.April, 1), ClosesOn: onward.NewDate(2026, time.March, 31),
		Vetting: onward.VettingPassed, VettedUntil: onward.NewDate(2026, time.December, 31),
	}
	if got, wanted := spelled(t, o.OpportunityDetails), spelled(t, want); got != wanted {
		t.Errorf("got  %s\nwant %s", got, wanted)
	}
	if o.Status != onward.OpportunityOpen {
		t.Errorf("status is %s", o.Status)
	}
}

// spelled is details as the API writes them, so that pointers don't matter.
func spelled(t *testing.T, d onward.OpportunityDetails) string {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAReturneeIsReadFromEveryColumn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	text := "external_id\tcountry\tlanguage\tgiven_name\tfamily_name\tsex\tphone\temail\tnotes\tbirth_date\treturned_on\torigin\tcurrent\tprevious\tkin\tintended\tplaces_on\t" +
		"skills\toccupations\tlanguages\tdocuments\teducation\tonward_intention\tintention_on\tavailable_from\tpreferred_kinds\treservation_wage\tcurrency\t" +
		"hours_per_week\tneeds_childcare\tmax_commute_minutes\tadults\tchildren\tcapital\texcluded_places\texcluded_organisations\tprotection\t" +
		"consent_matching_on\tconsent_sharing_on\tconsent_follow_up_on\tconsent_expires_on\tconsent_language\tparity_sex\tparity_disability\tparity_return\tparity_origin\n" +
		"C-7\tmx\tES\tAna\tRuiz\tFemale\t+52 1\tana@example.org\tcalls\t1990-05-01\t2026-01-15\tOaxaca de Juárez\tZapopan\tNew York City\tLeón|3522507\t\t2026-02-01\t" +
		"lay bricks:expert:referenced:2025|onward/skill/mix-mortar:2:unpaid\tbricklayer:6.5:2024\tes:C2|en:B1\tnational_id:held:2030-01-01|driving_licence:applied:2026-05-01|tax_number:missing\t3\tmove within\t2026-02-01\t2026-03-10\tjob|training\t9000\tMXN\t" +
		"40\tyes\t45\t2\t1\t1500.50\tLeón, Guanajuato, MX:25\t01890a5d-ac96-774b-bcce-b302099a8057\tno\t" +
		"2026-02-02\t\t2026-02-03\t2027-02-02\tes\tfemale\tnot said\tforced\t\n"
	summary, problems := b.returnees(t, text, importer.Options{})
	if counts(summary) != [4]int{1, 1, 0, 0} {
		t.Fatalf("%+v, %v", summary, problems)
	}
	var r onward.Returnee
	err := b.store.InTx(t.Context(), b.deps.Actor, func(tx *store.Tx) error {
		page, err := tx.Returnees(t.Context(), store.ReturneeFilter{ExternalID: "C-7"}, store.Cursor{})
		if err == nil {
			r = page.Items[0]
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Country != "MX" || r.Language != "es" || r.Identity.GivenName != "Ana" || r.Identity.Sex != "female" || r.BirthDate != onward.NewDate(1990, time.May, 1) {
		t.Errorf("the person is %+v", r)
	}
	if r.Parity == nil || *r.Parity != (onward.ParityAttributes{Sex: "female", Disability: "not_said", Return: "forced"}) {
		t.Errorf("the person said %+v", r.Parity)
	}
	recorded := onward.NewDate(2026, time.February, 1)
	if want := []onward.PersonPlace{
		{PlaceID: 3522507, Relation: onward.PlaceOrigin, RecordedOn: recorded},
		{PlaceID: 3979770, Relation: onward.PlaceCurrent, RecordedOn: recorded},
		{PlaceID: 5128581, Relation: onward.PlacePrevious, RecordedOn: recorded},
		{PlaceID: 3998655, Relation: onward.PlaceKin, RecordedOn: recorded},
		{PlaceID: 3522507, Relation: onward.PlaceKin, RecordedOn: recorded},
	}; !slices.Equal(r.Places, want) {
		t.Errorf("places are %+v", r.Places)
	}
	if want := []onward.ReturneeSkill{
		{SkillID: "onward/skill/lay-bricks", Level: onward.LevelExpert, Verification: onward.Referenced, LastUsedYear: 2025},
		{SkillID: "onward/skill/mix-mortar", Level: onward.LevelWorking, UnseenUnpaid: true},
	}; !slices.Equal(r.Skills, want) {
		t.Errorf("skills are %+v", r.Skills)
	}
	if want := []onward.Experience{{OccupationID: "onward/occupation/bricklayer", Years: 6.5, LastYear: 2024}}; !slices.Equal(r.Experience, want) {
		t.Errorf("experience is %+v", r.Experience)
	}
	if want := []onward.PersonDocument{
		{Kind: onward.NationalID, Status: onward.DocumentHeld, ValidUntil: onward.NewDate(2030, time.January, 1)},
		{Kind: onward.DrivingLicence, Status: onward.DocumentApplied, ExpectedOn: onward.NewDate(2026, time.May, 1)},
		{Kind: onward.TaxNumber, Status: onward.DocumentMissing},
	}; !slices.Equal(r.Documents, want) {
		t.Errorf("documents are %+v", r.Documents)
	}
	if r.Intention == nil || *r.Intention != (onward.OnwardIntention{Intention: onward.IntendsToMove, RecordedOn: recorded}) || *r.Education != 3 {
		t.Errorf("intention is %+v, education %v", r.Intention, r.Education)
	}
	if p := r.Preferences; *p.ReservationMinor != 900_000 || p.Currency != "MXN" || !*p.NeedsChildcare || *p.MaxCommuteMinutes != 45 || len(p.Kinds) != 2 {
		t.Errorf("preferences are %+v", p)
	}
	if h := r.Household; *h.Adults != 2 || *h.Children != 1 || *h.CapitalMinor != 150_050 {
		t.Errorf("household is %+v", h)
	}
	if s := r.Safety; len(s.ExcludedPlaces) != 1 || s.ExcludedPlaces[0] != (onward.ExcludedPlace{PlaceID: 3998655, RadiusKm: 25}) || len(s.ExcludedOrganisations) != 1 {
		t.Errorf("safety is %+v", s)
	}
	if len(r.Consents) != 2 || !r.HasConsent(onward.ConsentMatching, today) || !r.HasConsent(onward.ConsentFollowUp, today) || r.HasConsent(onward.ConsentSharing, today) {
		t.Errorf("consents are %+v", r.Consents)
	}
}

func TestEachBadRowIsReportedWhereItIsWrong(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const good = "job,Albañil,1,Zapopan,"
	for _, test := range []struct {
		name, header, row string
		line              int
		column, value     string
		reason, suggested string
	}{
		{"unknown kind", "Kind,title_es,capacity,place", "jobb,Albañil,1,Zapopan", 2, "Kind", "jobb", "use one of: job", ""},
		{"no kind", "kind,title_es,capacity,place", ",Albañil,1,Zapopan", 2, "kind", "", "fill this in with one of", ""},
		{"no title", "kind,title_es,capacity,place", "job,,1,Zapopan", 2, "title", "", "fill this in, by language", ""},
		{"a title too long", "kind,title_es,capacity,place", "job," + strings.Repeat("a", 201) + ",1,Zapopan", 2, "title_es", strings.Repeat("a", 201), "use 1 to 200 characters", ""},
		{"two titles", "kind,title,title_es,capacity,place", "job,Mason,Albañil,1,Zapopan", 2, "title_es", "Albañil", "in this language twice", ""},
		{"capacity no number", "kind,title_es,capacity,place", "job,Albañil,many,Zapopan", 2, "capacity", "many", "whole number", ""},
		{"capacity negative", "kind,title_es,capacity,place", "job,Albañil,-1,Zapopan", 2, "capacity", "-1", "from 1 to 100000", ""},
		{"unknown place", "kind,title_es,capacity,place", "job,Albañil,1,Zapopam", 2, "place", "Zapopam", "no place", "Zapopan, Jalisco, MX"},
		{"ambiguous place", "kind,title_es,capacity,place", "job,Albañil,1,San Juan", 2, "place", "San Juan", "more than one", "San Juan, Querétaro, MX"},
		{"unknown place id", "kind,title_es,capacity,place", "job,Albañil,1,99", 2, "place", "99", "no place", ""},
		{"no place", "kind,title_es,capacity,place", "job,Albañil,1,", 2, "place", "", "say where it is", ""},
		{"on a later line", "kind,title_es,capacity,place,description", "job,Albañil,1,Zapopan,\"two\nlines\"\n\njob,\"Dos\nlíneas\",x,Zapopan,", 6, "capacity", "x", "whole number", ""},
		{"unknown skill", "kind,title_es,capacity,place,essential_skills", good + "lay bricks|lay brikcs", 2, "essential_skills", "lay brikcs", "no skill", "lay bricks"},
		{"a skill twice", "kind,title_es,capacity,place,essential_skills,optional_skills", good + "lay bricks,Lay Bricks", 2, "optional_skills", "Lay Bricks", "only once", ""},
		{"unknown occupation", "kind,title_es,capacity,place,occupation", good + "bricklayerr", 2, "occupation", "bricklayerr", "no occupation", "bricklayer"},
		{"wage in words", "kind,title_es,capacity,place,wage_min,wage_currency,wage_period", good + "\"1,200\",MXN,month", 2, "wage_min", "1,200", "nothing between thousands", ""},
		{"wage upside down", "kind,title_es,capacity,place,wage_min,wage_max,wage_currency,wage_period", good + "2,1,MXN,month", 2, "wage_max", "1", "not below min_minor", ""},
		{"no currency", "kind,title_es,capacity,place,wage_min,wage_period", good + "2,month", 2, "wage_currency", "", "three-letter currency", ""},
		{"unknown period", "kind,title_es,capacity,place,wage_min,wage_currency,wage_period", good + "2,MXN,century", 2, "wage_period", "century", "use one of: hour", ""},
		{"hours", "kind,title_es,capacity,place,hours_per_week", good + "400", 2, "hours_per_week", "400", "hours from 1 to 100", ""},
		{"a date the other way round", "kind,title_es,capacity,place,closes_on", good + "31/03/2026", 2, "closes_on", "31/03/2026", "YYYY-MM-DD", ""},
		{"a closing date in the past", "kind,title_es,capacity,place,closes_on", good + "2026-02-28", 2, "closes_on", "2026-02-28", "past", ""},
		{"a start before the close", "kind,title_es,capacity,place,starts_on,closes_on", good + "2026-03-02,2026-03-03", 2, "starts_on", "2026-03-02", "starts before it closes", ""},
		{"neither yes nor no", "kind,title_es,capacity,place,housing", good + "maybe", 2, "housing", "maybe", "use yes or no", ""},
		{"a language without level", "kind,title_es,capacity,place,languages", good + "es", 2, "languages", "es", "language:level", ""},
		{"an unknown level", "kind,title_es,capacity,place,languages", good + "en:A1|es:Z9!", 2, "languages", "es:Z9!", "use one of: A1", ""},
		{"an unknown document", "kind,title_es,capacity,place,documents", good + "passport", 2, "documents", "passport", "use one of: national_id", ""},
		{"ages upside down", "kind,title_es,capacity,place,min_age,max_age", good + "40,30", 2, "max_age", "30", "not below min_age", ""},
		{"a cell too few", "kind,title_es,capacity,place", "job,Albañil,1", 2, "", "", "3 cells and the header 4", ""},
		{"an open quotation mark", "kind,title_es,capacity,place", "job,\"Albañil,1,Zapopan", 2, "", "job,\"Albañil,1,Zapopan", "at character 5", ""},
		{"text after a quotation mark", "kind,title_es,capacity,place", "job,\"Alba\"ñil,1,Zapopan", 2, "", "job,\"Alba\"ñil,1,Zapopan", "at character 11", ""},
		{"Latin-1", "kind,title_es,capacity,place", "job,Alba\xf1il,1,Zapopan", 2, "title_es", "Alba\uFFFDil", "UTF-8", ""},
		{"a control character", "kind,title_es,capacity,place", "job,Alba\x01il,1,Zapopan", 2, "title_es", "Alba\x01il", "control characters", ""},
		{"a huge row", "kind,title_es,capacity,place,description", good + strings.Repeat("x", 2<<20), 2, "", "job,Albañil,1,Zapopan,", "longer than 1 MB", ""},
		{"a huge row in quotation marks", "kind,title_es,capacity,place,description", good + "\"" + strings.Repeat("x\"\"", 1<<20) + "\"", 2, "", "job,Albañil,1,Zapopan,", "longer than 1 MB", ""},
		{"an external id too long", "external_id,kind,title_es,capacity,place", strings.Repeat("9", 201) + "," + strings.TrimSuffix(good, ","), 2, "external_id", strings.Repeat("9", 201), "200 characters", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, comma := range []string{",", ";", "\t"} {
				if comma != "," && strings.Contains(test.row, "1,200") {
					continue
				}
				text := strings.ReplaceAll(test.header+"\n"+test.row+"\n"+test.header, ",", comma) // the last row is bad too: import goes on
				summary, problems := b.opportunities(t, text, importer.Options{DryRun: true, Language: "es"})
				if len(problems) < 2 || summary.Rejected != 2 || summary.Rejected+summary.Created != summary.Read {
					t.Fatalf("%+v, %v", summary, problems)
				}
				p := problems[0]
				value := strings.ReplaceAll(test.value, ",", comma)
				if p.Line != test.line || p.Column != test.column || (p.Value != value && !(len(test.row) > 1<<20 && strings.HasPrefix(p.Value, value))) || !strings.Contains(p.Reason, test.reason) {
					t.Errorf("got line %d, column %q, value %.90q: %s", p.Line, p.Column, p.Value, p.Reason)
				}
				if test.suggested != "" && !slices.ContainsFunc(p.Suggestions, func(s onward.Suggestion) bool { return s.Label == test.suggested }) {
					t.Errorf("suggests %v, want %q", p.Suggestions, test.suggested)
				}
			}
		})
	}
}

func TestEachBadReturneeIsReportedWhereItIsWrong(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, test := range []struct{ name, header, row, column, value, reason string }{
		{"country", "country", "Mexico", "country", "Mexico", "two-letter country code"},
		{"birth date in the future", "country,birth_date", "MX,2030-01-01", "birth_date", "2030-01-01", "day of birth"},
		{"skill level", "country,skills", "MX,lay bricks:great", "skills", "lay bricks:great", "basic, working"},
		{"skill", "country,skills", "MX,lay bricks|juggling:expert", "skills", "juggling", "no skill"},
		{"year", "country,skills", "MX,lay bricks:1890", "skills", "lay bricks:1890", "from 1956 to 2026"},
		{"occupation", "country,occupations", "MX,bricklayer:often", "occupations", "bricklayer:often", "years, the last year"},
		{"years", "country,occupations", "MX,bricklayer:99", "occupations", "bricklayer:99", "0 to 70"},
		{"document without status", "country,documents", "MX,national_id", "documents", "national_id", "kind:status"},
		{"document status", "country,documents", "MX,national_id:lost", "documents", "national_id:lost", "use one of: held"},
		{"document date", "country,documents", "MX,national_id:held:soon", "documents", "national_id:held:soon", "YYYY-MM-DD"},
		{"two origins", "country,origin", "MX,Zapopan|Oaxaca", "origin", "Oaxaca", "one place of origin"},
		{"intention without its day", "country,onward_intention", "MX,stay", "intention_on", "", "day on which the person said so"},
		{"consent in the future", "country,consent_sharing_on", "MX,2026-03-02", "consent_sharing_on", "2026-03-02", "today or earlier"},
		{"consent that ends before", "country,consent_matching_on,consent_expires_on", "MX,2026-02-02,2026-02-01", "consent_expires_on", "2026-02-01", "after given_on"},
		{"e-mail", "country,email", "MX,ana at home", "email", "ana at home", "name@example.org"},
		{"radius", "country,excluded_places", "MX,Zapopan:far", "excluded_places", "Zapopan:far", "kilometres"},
		{"capital without currency", "country,capital", "MX,100", "currency", "", "three-letter currency"},
		{"education", "country,education", "MX,12", "education", "12", "0 to 8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, problems := b.returnees(t, test.header+"\n"+test.row+"\n", importer.Options{DryRun: true, Format: importer.FormatCSV})
			if len(problems) != 1 {
				t.Fatalf("%v", problems)
			}
			if p := problems[0]; p.Line != 2 || p.Column != test.column || p.Value != test.value || !strings.Contains(p.Reason, test.reason) {
				t.Errorf("got line %d, column %q, value %q: %s", p.Line, p.Column, p.Value, p.Reason)
			}
		})
	}
}

func TestEachBadLineOfNDJSONIsReportedWhereItIsWrong(t *testing.T) {
	t.Parallel()
	b := setup(t)
	with := func(more string) string {
		return `{"kind":"job","title":{"es":"Albañil"},"capacity":1,"place_id":3979770` + more + `}`
	}
	for _, test := range []struct{ name, line, column, value, reason string }{
		{"no JSON", `{"kind":"job",,}`, "", `{"kind":"job",,}`, "from character 15 on"},
		{"two objects", with("") + with(""), "", with("") + with(""), "nothing else"},
		{"not an object", `7`, "", "7", "one JSON object a line"},
		{"an unknown field", with(`,"capcity":2`), "capcity", "2", `no field is called "capcity"; did you mean capacity?`},
		{"an unknown field inside", with(`,"skills":[{"skil_id":"x"}]`), "skills[0].skil_id", "x", "did you mean skill_id?"},
		{"another case", with(`,"Kind":"job"`), "Kind", "job", "did you mean kind?"},
		{"a text for a number", with(`,"min_age":"18"`), "min_age", "18", "whole number"},
		{"a fraction", with(`,"min_age":18.5`), "min_age", "18.5", "whole number"},
		{"a number for a text", with(`,"description":{"es":5}`), "description.es", "5", "a text"},
		{"a text for texts", with(`,"description":"x"`), "description", "x", "by language"},
		{"a text for yes", with(`,"housing":"yes"`), "housing", "yes", "true or false"},
		{"a date", with(`,"closes_on":"tomorrow"`), "closes_on", "tomorrow", "YYYY-MM-DD"},
		{"an object for a list", with(`,"skills":{}`), "skills", "", "list in brackets"},
		{"a list for an object", with(`,"wage":[]`), "wage", "", "object in braces"},
		{"an unknown skill", with(`,"skills":[{"skill_id":"onward/skill/lay-brick"}]`), "skills[0].skill_id", "onward/skill/lay-brick", "no such skill"},
		{"a rule", with(`,"max_age":130`), "max_age", "130", "0 to 120"},
		{"Latin-1", with(`,"external_id":"Alba` + "\xf1" + `il"`), "", with(`,"external_id":"Alba` + "\uFFFD" + `il"`), "UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := "\n" + test.line + "\r\n" + with(`,"external_id":"good"`)
			summary, problems := b.opportunities(t, text, importer.Options{DryRun: true, Format: importer.FormatNDJSON})
			if len(problems) != 1 || counts(summary) != [4]int{2, 1, 0, 1} {
				t.Fatalf("%+v, %v", summary, problems)
			}
			if p := problems[0]; p.Line != 2 || p.Column != test.column || p.Value != test.value || !strings.Contains(p.Reason, test.reason) {
				t.Errorf("got line %d, column %q, value %q: %s", p.Line, p.Column, p.Value, p.Reason)
			}
		})
	}
	summary, problems := b.opportunities(t, with(`,"description":{"es":"`+strings.Repeat("x", 3<<20)+`"}`)+"\n"+with(""), importer.Options{DryRun: true})
	if counts(summary) != [4]int{2, 1, 0, 1} || problems[0].Line != 1 || !strings.Contains(problems[0].Reason, "1 MB") {
		t.Errorf("%+v, %v", summary, problems)
	}
}

func TestAFileThatCanNotBeReadAsAWholeIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte("kind,title,capacity\n"))
	_ = w.Close()
	wide := strings.Repeat("x,", 200) + "x\n"
	for _, test := range []struct {
		name, text, want string
		options          importer.Options
	}{
		{"empty", " \n", "the file is empty", importer.Options{}},
		{"UTF-16", "\xff\xfek\x00i\x00", "UTF-16", importer.Options{}},
		{"a spreadsheet", "PK\x03\x04\x00", "spreadsheet", importer.Options{}},
		{"binary", "\x00\x01\x02", "not text", importer.Options{}},
		{"a JSON array", "[{}]", "one object a line", importer.Options{}},
		{"unknown format", "x", `"xml" is neither`, importer.Options{Format: "xml"}},
		{"half a gzip", packed.String()[:packed.Len()-6], "damaged", importer.Options{}},
		{"an unknown column", "kind,title,capcity\n", `no column is called "capcity"; did you mean capacity?`, importer.Options{}},
		{"a longer unknown column", "kind,title,capacity,wage_minimum\n", `did you mean wage_min?`, importer.Options{}},
		{"a column twice", "kind,title,capacity,Kind\n", "two columns of the file are kind", importer.Options{}},
		{"no kind at all", "title,capacity\n", "no column is kind", importer.Options{}},
		{"mapped from nothing", "kind,title,capacity\n", `no column of the file is called "Titel"; did you mean title?`, importer.Options{Columns: map[string]string{"Titel": "title"}}},
		{"mapped to nothing known", "kind,title,capacity,x\n", `no column of Onward is called "wage_mim"; did you mean wage_min?`, importer.Options{Columns: map[string]string{"x": "wage_mim"}}},
		{"an unknown constant", "kind,title,capacity\n", `no column of Onward is called "contry"; did you mean country?`, importer.Options{Constants: map[string]string{"contry": "MX"}}},
		{"too many columns", wide, "201 columns; use 200 at most", importer.Options{}},
		{"a header in Latin-1", "kind,title,capacity,a\xf1o\n", "not UTF-8", importer.Options{}},
		{"a broken header", "kind,\"title\n", "line 1: at character 6", importer.Options{}},
		{"a huge header", strings.Repeat("x", 2<<20), "longer than 1 MB", importer.Options{}},
		{"constants for NDJSON", "{}", "in CSV files only", importer.Options{Constants: map[string]string{"kind": "job"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := importer.Opportunities(t.Context(), b.deps, strings.NewReader(test.text), test.options)
			if onward.CodeOf(err) != onward.EInvalid || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

const threeRows = "kind,title_es,capacity,place\njob,Albañil,1,Zapopan\njob,Cocinera,2,Oaxaca\n\"job\",Albañil,1, Zapopan\n"

func TestNothingLoadsTwice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if dry, _ := b.opportunities(t, threeRows, importer.Options{DryRun: true, BatchSize: 1}); counts(dry) != [4]int{3, 2, 1, 0} || !dry.DryRun {
		t.Errorf("dry run: %+v", dry)
	}
	if n := len(b.list(t)); n != 0 {
		t.Fatalf("a dry run left %d opportunities", n)
	}
	if first, _ := b.opportunities(t, threeRows, importer.Options{Publish: true}); counts(first) != [4]int{3, 2, 1, 0} {
		t.Errorf("first: %+v", first)
	}
	// Windows line ends, other columns order, small batches: the same rows.
	again := "place;kind;capacity;title_es\r\nZapopan;job;1;Albañil\r\nOaxaca;job;2;Cocinera\r\nOaxaca;job;3;Cocinera\r\n"
	if second, _ := b.opportunities(t, again, importer.Options{BatchSize: 2}); counts(second) != [4]int{3, 1, 2, 0} {
		t.Errorf("again: %+v", second)
	}
	list := b.list(t)
	if len(list) != 3 || !strings.HasPrefix(list[0].ExternalID, "row-") {
		t.Errorf("%d opportunities, external id %q", len(list), list[0].ExternalID)
	}
	line := `{"kind":"job","title":{"es":"Chofer"},"capacity":1,"place_id":3979770,"publish":true}` + "\n"
	reordered := `{ "publish":true, "place_id":3979770,"title":{"es":"Chofer"},"kind":"job","capacity":1 }`
	if lines, problems := b.opportunities(t, line+reordered, importer.Options{}); counts(lines) != [4]int{2, 1, 1, 0} {
		t.Errorf("NDJSON: %+v, %v", lines, problems)
	}
	if o := b.list(t)[0]; o.Status != onward.OpportunityOpen {
		t.Errorf("published, but %s", o.Status)
	}
	people := "external_id,country\nA,MX\nA,MX\n,MX\n"
	for _, want := range [][4]int{{3, 2, 1, 0}, {3, 0, 3, 0}} {
		if got, problems := b.returnees(t, people, importer.Options{}); counts(got) != want {
			t.Errorf("people: %+v, %v", got, problems)
		}
	}
}

func TestRejectedRowsCanBeMendedAndImported(t *testing.T) {
	t.Parallel()
	b := setup(t)
	text := "kind;title_es;capacity;place;description\njob;Albañil;x;Zapopan;\"a;\"\"b\"\"\nc\"\njob;Cocinera;1;Oaxacca;\njob;Chofer;1;Zapopan;\njob;\"Taxi\"sta;1;Zapopan;\n"
	var rejected bytes.Buffer
	summary, _ := b.opportunities(t, text, importer.Options{Reject: &rejected})
	if counts(summary) != [4]int{4, 1, 0, 3} {
		t.Fatalf("%+v", summary)
	}
	want := "kind;title_es;capacity;place;description;reject_reason\n" +
		"job;Albañil;x;Zapopan;\"a;\"\"b\"\"\nc\";\"capacity: use a whole number in digits, such as 12; capacity: use a number from 1 to 100000\"\n"
	if got := rejected.String(); !strings.HasPrefix(got, strings.Split(want, ";\"capacity:")[0]) || !strings.Contains(got, "did you mean Oaxaca, MX (3522507)?") {
		t.Errorf("rejected:\n%s", got)
	}
	// As it is, it is rejected again, with one column of reasons.
	var again bytes.Buffer
	if summary, _ = b.opportunities(t, rejected.String(), importer.Options{Reject: &again}); counts(summary) != [4]int{3, 0, 0, 3} {
		t.Errorf("%+v", summary)
	}
	if header, _, _ := strings.Cut(again.String(), "\n"); strings.Count(header, "reject_reason") != 1 {
		t.Errorf("header is %q", header)
	}
	mended := strings.NewReplacer(";x;", ";1;", "Oaxacca", "Oaxaca").Replace(rejected.String())
	if summary, problems := b.opportunities(t, mended, importer.Options{}); counts(summary) != [4]int{3, 2, 0, 1} {
		t.Errorf("%+v, %v", summary, problems)
	}
	if list := b.list(t); len(list) != 3 || !slices.ContainsFunc(list, func(o onward.Opportunity) bool { return o.Description["en"] == "a;\"b\"\nc" }) {
		t.Errorf("%d opportunities", len(list))
	}

	rejected.Reset()
	lines := `{"kind":"job","title":{"es":"Sastre"},"capacity":0,"place_id":3979770}` + "\n" + `{"kind":` + "\n{}\n"
	if summary, _ = b.opportunities(t, lines, importer.Options{Reject: &rejected}); counts(summary) != [4]int{3, 0, 0, 3} {
		t.Errorf("%+v", summary)
	}
	if got := rejected.String(); !strings.HasPrefix(got, `{"reject_reason":"capacity: use a number from 1 to 100000","kind":"job","title":{"es":"Sastre"},"capacity":0,"place_id":3979770}`+"\n"+`{"reject_reason":"this is not JSON`) {
		t.Errorf("rejected:\n%s", got)
	}
	mended = strings.Replace(rejected.String(), `"capacity":0`, `"capacity":4`, 1)
	rejected.Reset()
	if summary, problems := b.opportunities(t, mended, importer.Options{Reject: &rejected}); counts(summary) != [4]int{3, 1, 0, 2} || strings.Count(rejected.String(), "reject_reason") != 2 {
		t.Errorf("%+v, %v\n%s", summary, problems, rejected.String())
	}
}

func TestProblemsKeepValuesOutOfLogs(t *testing.T) {
	t.Parallel()
	p := importer.Problem{Line: 3, Column: "email", Value: "ana@home", Rule: "email", Reason: "use an e-mail address"}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("bad row", "problem", p)
	if strings.Contains(log.String(), "ana@home") || !strings.Contains(log.String(), `"line":3`) {
		t.Errorf("logged %s", log.String())
	}
	if got := p.String(); got != `line 3, email "ana@home": use an e-mail address` {
		t.Errorf("shown as %s", got)
	}
}

func TestWhoMayNotImportIsToldSo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deps.Actor.Role = onward.RoleCounsellor
	summary, err := importer.Opportunities(t.Context(), b.deps, strings.NewReader(threeRows), importer.Options{})
	if onward.CodeOf(err) != onward.EForbidden || summary.Created != 0 {
		t.Errorf("%+v, %v", summary, err)
	}
	b.deps.Actor.Role = onward.RoleEmployer
	if _, err = importer.Returnees(t.Context(), b.deps, strings.NewReader("country\nMX\n"), importer.Options{}); onward.CodeOf(err) != onward.EForbidden {
		t.Errorf("%v", err)
	}
}

// The vacancies of New York City come as they are: tabs, gzip, their own headers, pay by year, day and hour.
func TestRealVacanciesAreImported(t *testing.T) {
	t.Parallel()
	path := testenv.SharedData(t, "opportunities", "nyc_city_jobs.tsv.gz")
	b := setup(t)
	columns, err := importer.ParsePairs([]string{"Business Title=title,Job Category=description,NUmber Of Positions=capacity," +
		"Salary Range From=wage_min,Salary Range To=wage_max,Salary Frequency=wage_period"})
	if err != nil {
		t.Fatal(err)
	}
	constants, err := importer.ParsePairs([]string{"kind=job,country=US,place=New York City,wage_currency=USD"})
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range [][4]int{{3608, 3576, 0, 32}, {3608, 32, 3576, 0}, {3608, 0, 3608, 0}} {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var progress importer.Progress
		summary, err := importer.Opportunities(t.Context(), b.deps, f, importer.Options{
			Columns: columns, Constants: constants, IgnoreUnknown: true, Publish: true, RepairEncoding: k > 0,
			Problem: func(p importer.Problem) {
				if p.Column != "Business Title" || !strings.Contains(p.Reason, "--repair-encoding") {
					t.Errorf("rejected: %s", p)
				}
			},
			Progress: func(p importer.Progress) { progress = p },
		})
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		if counts(summary) != want || progress.Rows != 3608 || progress.Bytes < 90_000 {
			t.Errorf("%+v, %+v", summary, progress)
		}
		t.Logf("%d rows in %v", summary.Read, summary.Duration)
	}
	// 32 titles hold dashes and apostrophes that were UTF-8 once too often.
	list := b.list(t)
	hourly := slices.IndexFunc(list, func(o onward.Opportunity) bool { return o.Wage.Period == onward.PerHour })
	if hourly >= 0 && list[hourly].Wage.MinMinor > 100_000 {
		t.Errorf("%+v", list[hourly].Wage)
	}
}

func TestPairsMayHoldCommas(t *testing.T) {
	t.Parallel()
	got, err := importer.ParsePairs([]string{"place=Zapopan, Jalisco, MX,kind=job", "Agency="})
	if err != nil || len(got) != 3 || got["place"] != "Zapopan, Jalisco, MX" || got["kind"] != "job" || got["Agency"] != "" {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"kind", "=x", "a=1,a=2"} {
		if _, err := importer.ParsePairs([]string{bad}); onward.CodeOf(err) != onward.EInvalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
