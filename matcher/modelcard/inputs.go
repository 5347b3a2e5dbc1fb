package modelcard

// What an input moves.
const (
	selects = "selects" // which openings are looked at
	fit     = "fit"
	reach   = "reach"
	terms   = "terms"
	gates   = "gates" // a hard requirement, of which safety and consent are never shown
	order   = "order" // beside the score
	inWords = "words" // what is shown, and no number
)

// input is a group of fields with one reason. Fields without moves are recorded and read by nothing of the model.
type input struct {
	of     string
	what   string // the phrase
	moves  []string
	fields []string
	// reads are the fields of the types of the matcher that hold it.
	reads []string
}

// inputs is the one table of what the model reads. Tests hold it against the types of the matcher and of profiles, and change each field to see
// what moves: an input that has no row here fails them.
var inputs = []input{
	{"person", "skills", []string{fit}, []string{"skills"}, []string{"Person.own", "Person.strengths", "Person.SkillsUnknown", "Person.taxonomy"}},
	{"person", "work", []string{fit}, []string{"experience"}, []string{"Person.own", "Person.strengths"}},
	{"person", "languages", []string{gates}, []string{"languages"}, []string{"Person.Languages"}},
	{"person", "documents", []string{gates}, []string{"documents"}, []string{"Person.Documents"}},
	{"person", "age", []string{gates}, []string{"birth_date"}, []string{"Person.Age"}},
	{
		"person", "wishes",
		[]string{terms},
		[]string{"preferences.kinds", "preferences.reservation_minor", "preferences.currency", "preferences.hours_per_week", "preferences.needs_childcare", "available_from"},
		[]string{"Person.Preferences", "Person.AvailableFrom"},
	},
	{"person", "commute", []string{reach}, []string{"preferences.max_commute_minutes"}, []string{"Person.Preferences"}},
	{"person", "places", []string{reach}, []string{"places", "returned_on"}, []string{"destination.Person.Places", "destination.Person.ReturnedOn"}},
	{"person", "intention", []string{reach}, []string{"onward_intention"}, []string{"destination.Person.Intention"}},
	{"person", "country", []string{selects}, []string{"country"}, []string{"Person.Country"}},
	{
		"person", "safety",
		[]string{gates},
		[]string{"safety.excluded_places", "safety.excluded_organisations", "safety.protection"},
		[]string{"Person.safety", "destination.Person.Excluded"},
	},
	{"person", "consent", []string{gates}, []string{"consents"}, []string{"Person.Consented"}},
	{"person", "words", []string{inWords}, []string{"language"}, nil},
	{
		"person", "recorded", nil,
		[]string{
			"external_id", "education", "household.adults", "household.children", "household.capital_minor", "household.currency", "identity.given_name", "identity.family_name",
			"identity.sex", "identity.phone", "identity.email", "identity.notes", "identity.alternate_contact", "parity",
		},
		nil,
	},

	{"request", "kinds", []string{selects}, []string{"kinds"}, nil},
	{"request", "destination", []string{reach}, []string{"destination"}, nil},
	{"request", "length", []string{order}, []string{"limit"}, nil},
	{"request", "words", []string{inWords}, []string{"language"}, nil},
	{"request", "reason", nil, []string{"destination_reason"}, nil},

	{"opening", "opening_skills", []string{fit}, []string{"skills", "skill_basis", "skill_confidence", "scale"}, nil},
	{"opening", "opening_place", []string{reach}, []string{"place_id", "lat", "lon", "remote", "assisted", "portability"}, nil},
	{"opening", "opening_country", []string{selects}, []string{"country"}, nil},
	{"opening", "opening_kind", []string{selects, terms}, []string{"kind"}, nil},
	{"opening", "opening_organisation", []string{gates, order, terms}, []string{"organisation_id"}, nil},
	{"opening", "opening_needs", []string{gates}, []string{"places_left", "languages", "documents", "min_age", "max_age", "hazardous"}, nil},
	{"opening", "opening_terms", []string{terms}, []string{"wage", "hours_per_week", "flexible_time", "childcare", "published_on"}, nil},
	{"opening", "opening_start", []string{gates, terms}, []string{"starts_on"}, nil},
	{"opening", "opening_open", []string{gates}, []string{"closes_on", "vetting", "vetted_until"}, nil},
	{"opening", "opening_id", []string{order}, []string{"id"}, nil},
	{"opening", "opening_shown", []string{inWords}, []string{"organisation", "title", "place", "version", "fictional"}, nil},

	{"organisation", "replies", []string{terms}, []string{"replies"}, nil},
	{"organisation", "openings", nil, []string{"opportunities_by_place"}, []string{"destination.Person.Opportunities"}},
}

// never is what no score rests on, with where it is kept for other purposes.
var never = []struct{ what, recorded string }{
	{"sex", "identity.sex, parity.sex"},
	{"nationality", ""},
	{"ethnicity", ""},
	{"religion", ""},
	{"mother_tongue", ""},
	{"name", "identity.given_name, identity.family_name"},
	{"contact", "identity.phone, identity.email, identity.alternate_contact"},
	{"notes", "identity.notes"},
	{"household", "household"},
	{"disability", "parity.disability"},
	{"past", "parity.return"},
}
