package importer

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"onward"
	"onward/store"
)

var returneeColumns = []Column{
	{"external_id", "the case number in the system it comes from; without one, the row's content is the id"},
	{"country", "where the person returned to, such as MX"},
	{"language", "to speak with the person, such as es"},
	{"given_name", ""},
	{"family_name", ""},
	{"sex", "female, male, other or unknown; never an input to a score"},
	{"phone", ""},
	{"email", ""},
	{"notes", "for the counsellor only"},
	{"birth_date", "YYYY-MM-DD; for legal ages only"},
	{"returned_on", "YYYY-MM-DD"},
	{"origin", `community of origin: GeoNames id or name, "Zapopan, Jalisco, MX"`},
	{"current", "where the person is now"},
	{"previous", "where the person lived before, with bars between places"},
	{"kin", "where family or close friends live, with bars"},
	{"intended", "where the person wants to live, with bars"},
	{"places_on", "YYYY-MM-DD, the day on which the places were recorded"},
	{"skills", "name or id, then level (basic, working, experienced, expert or 1 to 4), verification, year last used, unpaid: lay bricks:expert:referenced:2025|cook:working:unpaid"},
	{"occupations", "name or id, then years, last year, unpaid: bricklayer:6.5:2024|caregiver:3:unpaid"},
	{"languages", "language:level: es:C2|en:B1"},
	{"documents", "kind:status:date: national_id:held|driving_licence:applied:2026-03-01; the date is when it is expected, or until when a held one is valid"},
	{"education", "highest level completed, ISCED 0 to 8"},
	{"onward_intention", "stay, move_within, move_abroad or undecided"},
	{"intention_on", "YYYY-MM-DD, the day on which the person said so"},
	{"available_from", "YYYY-MM-DD"},
	{"preferred_kinds", "kinds of opportunity, with bars"},
	{"reservation_wage", "lowest acceptable pay for a month, in units of the currency"},
	{"currency", "of reservation_wage and capital, such as MXN"},
	{"hours_per_week", "most hours that the person can work"},
	{"needs_childcare", "yes or no; empty: unknown"},
	{"max_commute_minutes", ""},
	{"adults", "of the household, including the person"},
	{"children", "of the household"},
	{"capital", "money for a start, in units of the currency"},
	{"excluded_places", "places that are not safe for the person, with kilometres around them: Zapopan, Jalisco, MX:50|3530597:10"},
	{"excluded_organisations", "ids, with bars"},
	{"protection", "yes: only vetted opportunities are shown"},
	{"consent_matching_on", "YYYY-MM-DD, the day on which the person agreed to be matched"},
	{"consent_sharing_on", "likewise, to be shown to organisations"},
	{"consent_follow_up_on", "likewise, to be asked how it goes"},
	{"consent_expires_on", "YYYY-MM-DD, for all three"},
	{"consent_language", "in which it was explained"},
	{"parity_sex", "female, male, other or not_said; this and the next three: what the person chose to say so that unfairness can be found, never an input to a score"},
	{"parity_disability", "yes, no or not_said"},
	{"parity_return", "forced, voluntary or not_said"},
	{"parity_origin", "rural, urban or not_said"},
}

// ReturneeColumns lists the columns of a CSV of returnees.
func ReturneeColumns() []Column { return append([]Column(nil), returneeColumns...) }

var returneeTable = table[store.NewReturnee]{
	columns:  returneeColumns,
	required: []string{"country"},
	columnOf: map[string]string{
		"external_id": "external_id", "country": "country", "skills": "skills", "experience": "occupations", "languages": "languages",
		"documents": "documents", "places": "origin", "onward_intention": "onward_intention",
		"onward_intention.recorded_on": "intention_on", "preferences.currency": "currency", "household.currency": "currency",
		"preferences.kinds": "preferred_kinds", "safety.excluded_places": "excluded_places",
	},
	fromCells: returneeFromCells,
	body:      func() any { return &onward.ReturneeDetails{} },
	finish: func(body any) store.NewReturnee {
		return store.NewReturnee{Details: *body.(*onward.ReturneeDetails)} //nolint:forcetypeassert // body made it
	},
	external: func(n *store.NewReturnee) *string { return &n.Details.ExternalID },
	questions: func(n *store.NewReturnee, _ string) []question {
		if notes := n.Details.Identity.Notes; notes != "" && len(n.Details.Skills) == 0 {
			return []question{{"skills", notes, onward.ConceptSkill}}
		}
		return nil
	},
	validate: func(n store.NewReturnee, today onward.Date, v onward.Vocabulary) error {
		return n.Details.Validate(today, v)
	},
	prepare: func(n *store.NewReturnee, _ Deps, options Options) { n.Fictional = options.Fictional },
	create: func(ctx context.Context, tx *store.Tx, list []store.NewReturnee) ([]store.Created, error) {
		return tx.CreateReturnees(ctx, list)
	},
}

func returneeFromCells(r *row) store.NewReturnee {
	d := onward.ReturneeDetails{
		ExternalID: r.text("external_id", "external_id"), Country: r.country("country", "country"), Language: strings.ToLower(r.text("language", "language")),
		Identity: onward.Identity{
			GivenName: r.text("identity.given_name", "given_name"), FamilyName: r.text("identity.family_name", "family_name"),
			Sex: word[string](r, "identity.sex", "sex"), Phone: r.text("identity.phone", "phone"),
			Email: r.text("identity.email", "email"), Notes: r.text("identity.notes", "notes"),
		},
		BirthDate: r.date("birth_date", "birth_date"), ReturnedOn: r.date("returned_on", "returned_on"),
		Education: r.optionalWhole("education", "education"), AvailableFrom: r.date("available_from", "available_from"),
	}
	returneeSkills(r, &d)
	returneeDocuments(r, &d)
	returneePlaces(r, &d)
	returneeWishes(r, &d)
	returneeConsents(r, &d)
	if p := (onward.ParityAttributes{
		Sex: word[string](r, "parity.sex", "parity_sex"), Disability: word[string](r, "parity.disability", "parity_disability"),
		Return: word[string](r, "parity.return", "parity_return"), Origin: word[string](r, "parity.origin", "parity_origin"),
	}); p != (onward.ParityAttributes{}) {
		d.Parity = &p
	}
	return store.NewReturnee{Details: d}
}

var levelWords = map[string]onward.Level{
	"0": onward.LevelUnknown, "unknown": onward.LevelUnknown, "1": onward.LevelBasic, "basic": onward.LevelBasic,
	"2": onward.LevelWorking, "working": onward.LevelWorking, "3": onward.LevelExperienced, "experienced": onward.LevelExperienced,
	"4": onward.LevelExpert, "expert": onward.LevelExpert,
}

func returneeSkills(r *row, d *onward.ReturneeDetails) {
	r.list("skills", "skills", func(item, _ string) {
		parts := strings.Split(item, ":")
		s := onward.ReturneeSkill{SkillID: r.skill("skills", strings.TrimSpace(parts[0]))}
		for _, part := range parts[1:] {
			part = plain(part)
			level, isLevel := levelWords[part]
			year, isYear := yearOf(part)
			switch {
			case part == "":
			case isLevel:
				s.Level = level
			case isYear:
				s.LastUsedYear = year
			case part == "unpaid":
				s.UnseenUnpaid = true
			case slices.Contains(onward.Verifications(), onward.Verification(part)):
				s.Verification = onward.Verification(part)
			default:
				r.wrong("skills", item, "skill", "after the skill come, with colons between them: basic, working, experienced or expert;"+
					" self_declared, referenced, tested or certified; the year last used; unpaid")
			}
		}
		d.Skills = append(d.Skills, s)
	})
	r.list("experience", "occupations", func(item, _ string) {
		parts := strings.Split(item, ":")
		e := onward.Experience{OccupationID: r.occupation("occupations", strings.TrimSpace(parts[0]))}
		for _, part := range parts[1:] {
			part = plain(part)
			years, isNumber := parseDecimal(part)
			year, isYear := yearOf(part)
			switch {
			case part == "":
			case isYear:
				e.LastYear = year
			case isNumber:
				e.Years = years
			case part == "unpaid":
				e.UnseenUnpaid = true
			default:
				r.wrong("occupations", item, "occupation", "after the occupation come, with colons between them: years, the last year, unpaid; such as bricklayer:6.5:2024")
			}
		}
		d.Experience = append(d.Experience, e)
	})
	r.list("languages", "languages", func(item, _ string) {
		language, level, found := strings.Cut(item, ":")
		if !found {
			r.wrong("languages", item, "language", "use language:level, such as es:B1")
		}
		d.Languages = append(d.Languages, onward.LanguageSkill{
			Language: strings.ToLower(strings.TrimSpace(language)), Level: onward.CEFR(strings.ToUpper(strings.TrimSpace(level))),
		})
	})
}

func yearOf(text string) (int, bool) {
	year, err := strconv.Atoi(text)
	return year, err == nil && len(text) == 4
}

func returneeDocuments(r *row, d *onward.ReturneeDetails) {
	r.list("documents", "documents", func(item, _ string) {
		parts := strings.SplitN(item, ":", 3)
		document := onward.PersonDocument{Kind: onward.DocumentKind(plain(parts[0]))}
		if len(parts) < 2 {
			r.wrong("documents", item, "document", "use kind:status, such as national_id:held, and a date where one is known")
			return
		}
		document.Status = onward.DocumentStatus(plain(parts[1]))
		if len(parts) == 3 {
			date, err := parseDate(strings.TrimSpace(parts[2]))
			if err != nil {
				r.wrong("documents", item, "date", "use a date of the form YYYY-MM-DD, such as driving_licence:applied:2026-03-31")
			}
			if document.Status == onward.DocumentHeld {
				document.ValidUntil = date
			} else {
				document.ExpectedOn = date
			}
		}
		d.Documents = append(d.Documents, document)
	})
}

func returneePlaces(r *row, d *onward.ReturneeDetails) {
	recorded := r.date("places_on", "places_on")
	for _, relation := range onward.PlaceRelations() {
		column := string(relation)
		r.listFrom(len(d.Places), "places", column, func(item, field string) {
			r.from(field+".recorded_on", "places_on", r.get("places_on"))
			d.Places = append(d.Places, onward.PersonPlace{PlaceID: r.place(column, item, d.Country), Relation: relation, RecordedOn: recorded})
		})
	}
	if intention := word[onward.Intention](r, "onward_intention.intention", "onward_intention"); intention != "" {
		d.Intention = &onward.OnwardIntention{Intention: intention, RecordedOn: r.date("onward_intention.recorded_on", "intention_on")}
	}
	r.list("safety.excluded_places", "excluded_places", func(item, _ string) {
		name, radius, found := item, "", false
		if i := strings.LastIndexByte(item, ':'); i >= 0 {
			name, radius, found = item[:i], item[i+1:], true
		}
		excluded := onward.ExcludedPlace{PlaceID: r.place("excluded_places", strings.TrimSpace(name), d.Country)}
		if km, ok := parseDecimal(strings.TrimSpace(radius)); found && ok {
			excluded.RadiusKm = km
		} else if found {
			r.wrong("excluded_places", item, "number", "after the colon come kilometres, such as Zapopan:50")
		}
		d.Safety.ExcludedPlaces = append(d.Safety.ExcludedPlaces, excluded)
	})
	r.list("safety.excluded_organisations", "excluded_organisations", func(item, _ string) {
		id, err := onward.ParseID(item)
		if err != nil {
			r.wrong("excluded_organisations", item, "id", "use the id of the organisation")
		}
		d.Safety.ExcludedOrganisations = append(d.Safety.ExcludedOrganisations, id)
	})
	d.Safety.Protection = r.yes("safety.protection", "protection")
}

func returneeWishes(r *row, d *onward.ReturneeDetails) {
	currency := r.currency("currency", "currency")
	d.Preferences = onward.Preferences{
		ReservationMinor: r.money("preferences.reservation_minor", "reservation_wage", currency),
		HoursPerWeek:     r.decimal("preferences.hours_per_week", "hours_per_week"), NeedsChildcare: r.optionalYes("preferences.needs_childcare", "needs_childcare"),
		MaxCommuteMinutes: r.optionalWhole("preferences.max_commute_minutes", "max_commute_minutes"),
	}
	if d.Preferences.ReservationMinor != nil {
		d.Preferences.Currency = currency
	}
	r.list("preferences.kinds", "preferred_kinds", func(item, _ string) {
		d.Preferences.Kinds = append(d.Preferences.Kinds, onward.Kind(plain(item)))
	})
	d.Household = onward.Household{
		Adults: r.optionalWhole("household.adults", "adults"), Children: r.optionalWhole("household.children", "children"),
		CapitalMinor: r.money("household.capital_minor", "capital", currency),
	}
	if d.Household.CapitalMinor != nil {
		d.Household.Currency = currency
	}
}

func returneeConsents(r *row, d *onward.ReturneeDetails) {
	for _, purpose := range onward.ConsentPurposes() {
		column := "consent_" + string(purpose) + "_on"
		given := r.get(column)
		if given == "" {
			continue
		}
		field := "consents[" + strconv.Itoa(len(d.Consents)) + "]"
		d.Consents = append(d.Consents, onward.Consent{
			Purpose: purpose, GivenOn: r.date(field+".given_on", column),
			ExpiresOn: r.date(field+".expires_on", "consent_expires_on"), Language: strings.ToLower(r.text(field+".language", "consent_language")),
		})
	}
}
