package importer

import (
	"context"
	"strings"

	"onward"
	"onward/store"
)

var opportunityColumns = []Column{
	{"external_id", "the id in the system it comes from; without one, the row's content is the id"},
	{"kind", "job, apprenticeship, training, enterprise_grant, cooperative, cash_for_work or project_place"},
	{"title", "in the language of the import; title_es, title_fr, title_ar … in another one"},
	{"description", "likewise, description_es …"},
	{"occupation", "name or id of the occupation"},
	{"essential_skills", "names or ids, with bars between them: lay bricks|mix mortar"},
	{"optional_skills", "likewise"},
	{"place", `GeoNames id or name: Zapopan, or "Zapopan, Jalisco, MX"`},
	{"country", "where to look first for a place of this name, such as MX"},
	{"remote", "yes: can be done from anywhere in the country"},
	{"remote_abroad", "yes: can go on from another country"},
	{"certificate_abroad", "yes: ends in a certificate that other countries recognise"},
	{"housing", "yes: a place to live comes with it"},
	{"relocation", "yes: moving there is paid for"},
	{"capacity", "how many people it can take"},
	{"languages", "language:level, ! when essential: es:B1!|en:A2"},
	{"documents", "papers that must be there by the start: national_id|driving_licence"},
	{"min_age", "empty: the legal working age"},
	{"max_age", "empty: none"},
	{"hazardous", "yes: not for people under 18"},
	{"wage_min", "in units of the currency, 12500.50; alone it is the highest wage too"},
	{"wage_max", "likewise"},
	{"wage_currency", "ISO 4217 code, such as MXN"},
	{"wage_period", "hour, day, week, month or year"},
	{"hours_per_week", "such as 37.5"},
	{"flexible_time", "yes: hours can be fitted around care; empty: unknown"},
	{"childcare", "yes: childcare is offered; empty: unknown"},
	{"starts_on", "YYYY-MM-DD; empty: as soon as agreed"},
	{"closes_on", "YYYY-MM-DD, the last day on which it is open"},
	{"vetting", "unknown, passed or rejected; only commands on the server may say; else record checks"},
	{"vetted_until", "YYYY-MM-DD"},
	{"publish", "yes: open it now; no: keep it a draft; empty: as the import says"},
}

// OpportunityColumns lists the columns of a CSV of opportunities.
func OpportunityColumns() []Column { return append([]Column(nil), opportunityColumns...) }

// opportunityBody is a line of NDJSON: what POST /v1/opportunities takes.
type opportunityBody struct {
	onward.OpportunityDetails
	Publish *bool `json:"publish,omitempty"`
}

// newOpportunity is what a row says, before the options of the import apply.
type newOpportunity struct {
	store.NewOpportunity
	publish *bool
}

var opportunityTable = table[newOpportunity]{
	columns:  opportunityColumns,
	required: []string{"kind", "title", "capacity"},
	columnOf: map[string]string{
		"external_id": "external_id", "kind": "kind", "title": "title", "description": "description", "occupation_id": "occupation",
		"skills": "essential_skills", "place_id": "place", "remote_abroad": "remote_abroad", "capacity": "capacity",
		"wage": "wage_min", "wage.max_minor": "wage_max", "wage.currency": "wage_currency", "wage.period": "wage_period",
		"starts_on": "starts_on", "closes_on": "closes_on", "max_age": "max_age", "vetting": "vetting",
	},
	fromCells: opportunityFromCells,
	body:      func() any { return &opportunityBody{} },
	finish: func(body any) newOpportunity {
		b := body.(*opportunityBody) //nolint:forcetypeassert // body made it
		return newOpportunity{store.NewOpportunity{Details: b.OpportunityDetails}, b.Publish}
	},
	external: func(n *newOpportunity) *string { return &n.Details.ExternalID },
	questions: func(n *newOpportunity, language string) []question {
		d := &n.Details
		if len(d.Skills) > 0 {
			return nil
		}
		ask := []question{{"optional_skills", d.Title.In(language) + ".\n" + d.Description.In(language), onward.ConceptSkill}}
		if d.OccupationID == "" {
			ask = append(ask, question{"occupation", d.Title.In(language), onward.ConceptOccupation})
		}
		return ask
	},
	validate: func(n newOpportunity, today onward.Date, v onward.Vocabulary) error {
		return n.Details.Validate(today, v)
	},
	prepare: func(n *newOpportunity, deps Deps, options Options) {
		n.OrganisationID, n.Fictional, n.Publish = deps.Actor.OrganisationID, options.Fictional, options.Publish
		if n.publish != nil {
			n.Publish = *n.publish
		}
	},
	create: func(ctx context.Context, tx *store.Tx, list []newOpportunity) ([]store.Created, error) {
		batch := make([]store.NewOpportunity, len(list))
		for i, n := range list {
			batch[i] = n.NewOpportunity
		}
		return tx.CreateOpportunities(ctx, batch)
	},
}

func opportunityFromCells(r *row) newOpportunity {
	d := onward.OpportunityDetails{
		ExternalID: r.text("external_id", "external_id"), Kind: word[onward.Kind](r, "kind", "kind"),
		Title: r.texts("title"), Description: r.texts("description"),
		Remote: r.yes("remote", "remote"), RemoteAbroad: r.yes("remote_abroad", "remote_abroad"),
		CertificateAbroad: r.yes("certificate_abroad", "certificate_abroad"),
		Housing:           r.yes("housing", "housing"), Relocation: r.yes("relocation", "relocation"),
		Capacity: r.whole("capacity", "capacity"), MinAge: r.whole("min_age", "min_age"), MaxAge: r.whole("max_age", "max_age"),
		Hazardous: r.yes("hazardous", "hazardous"), HoursPerWeek: r.decimal("hours_per_week", "hours_per_week"),
		FlexibleTime: r.optionalYes("flexible_time", "flexible_time"), Childcare: r.optionalYes("childcare", "childcare"),
		StartsOn: r.date("starts_on", "starts_on"), ClosesOn: r.date("closes_on", "closes_on"),
		Vetting: word[onward.VettingStatus](r, "vetting", "vetting"), VettedUntil: r.date("vetted_until", "vetted_until"),
		Wage: wageFromCells(r),
	}
	if text := r.text("occupation_id", "occupation"); text != "" {
		d.OccupationID = r.occupation("occupation", text)
	}
	if text := r.text("place_id", "place"); text != "" {
		d.PlaceID = r.place("place", text, r.country("country", "country"))
	}
	for _, column := range []string{"essential_skills", "optional_skills"} {
		r.listFrom(len(d.Skills), "skills", column, func(item, _ string) {
			d.Skills = append(d.Skills, onward.OpportunitySkill{SkillID: r.skill(column, item), Essential: column == "essential_skills"})
		})
	}
	r.list("languages", "languages", func(item, _ string) {
		d.Languages = append(d.Languages, languageNeed(r, item))
	})
	r.list("documents", "documents", func(item, _ string) {
		d.Documents = append(d.Documents, onward.DocumentKind(plain(item)))
	})
	return newOpportunity{store.NewOpportunity{Details: d}, r.optionalYes("publish", "publish")}
}

// wagePeriods are the words that files have for the periods.
var wagePeriods = map[string]onward.WagePeriod{
	"hourly": onward.PerHour, "per_hour": onward.PerHour, "hora": onward.PerHour, "heure": onward.PerHour,
	"daily": onward.PerDay, "per_day": onward.PerDay, "día": onward.PerDay, "dia": onward.PerDay, "jour": onward.PerDay,
	"weekly": onward.PerWeek, "per_week": onward.PerWeek, "semana": onward.PerWeek, "semaine": onward.PerWeek,
	"monthly": onward.PerMonth, "per_month": onward.PerMonth, "mes": onward.PerMonth, "mois": onward.PerMonth,
	"annual": onward.PerYear, "annually": onward.PerYear, "yearly": onward.PerYear, "per_year": onward.PerYear, "año": onward.PerYear, "an": onward.PerYear,
}

// wageFromCells is nothing when no amount is given, whatever the other columns say.
func wageFromCells(r *row) *onward.Wage {
	currency := r.currency("wage.currency", "wage_currency")
	low, high := r.money("wage.min_minor", "wage_min", currency), r.money("wage.max_minor", "wage_max", currency)
	if low == nil && high == nil {
		return nil
	}
	if low == nil {
		low = high
	}
	if high == nil {
		high = low
	}
	period := word[onward.WagePeriod](r, "wage.period", "wage_period")
	if p, ok := wagePeriods[string(period)]; ok {
		period = p
	}
	return &onward.Wage{MinMinor: *low, MaxMinor: *high, Currency: currency, Period: period}
}

// languageNeed reads "es:B1!".
func languageNeed(r *row, item string) onward.LanguageNeed {
	rest, essential := strings.CutSuffix(item, "!")
	language, level, found := strings.Cut(rest, ":")
	if !found {
		r.wrong("languages", item, "language", "use language:level, and ! when it is essential, such as es:B1!")
	}
	return onward.LanguageNeed{
		Language: strings.ToLower(strings.TrimSpace(language)), Level: onward.CEFR(strings.ToUpper(strings.TrimSpace(level))), Essential: essential,
	}
}
