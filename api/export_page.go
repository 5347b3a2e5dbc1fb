package api

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"

	"onward"
	"onward/indexer/catalogue"
	"onward/matcher/sentences"
)

// exportView is the page of what is kept of a person, ready to be written.
type exportView struct {
	Language, Direction string
	Title               string
	Style               template.CSS
	Intro               []string
	Sections            []exportSection
}

// exportSection is one part of it: sentences, then a table, then a list.
type exportSection struct {
	ID, Heading string
	Sentences   []string
	Head        []string
	Rows        [][]exportCell
	List        []string
}

// exportCell is what one cell of a table says, line by line.
type exportCell []string

// exportWriter says what is kept of a person in a language.
type exportWriter struct {
	code      string
	localizer *i18n.Localizer
	words     *sentences.Writer
	export    onward.Export
	catalogue *catalogue.Catalogue
	questions map[onward.QuestionnaireRef]onward.Questionnaire
}

func newExportWriter(code string, e onward.Export, c *catalogue.Catalogue, questions map[onward.QuestionnaireRef]onward.Questionnaire) *exportWriter {
	return &exportWriter{code, i18n.NewLocalizer(exportBundle, code), sentences.In(code), e, c, questions}
}

// say is a phrase, with what fills its blanks: name, value, name, value …
func (w *exportWriter) say(id string, fill ...any) string {
	blanks := map[string]any{}
	for i := 0; i+1 < len(fill); i += 2 {
		blanks[fmt.Sprint(fill[i])] = fill[i+1]
	}
	text, err := w.localizer.Localize(&i18n.LocalizeConfig{MessageID: id, TemplateData: blanks})
	if err != nil && text == "" {
		return id // a test asks for every phrase in every language
	}
	return text
}

// coded says a code of Onward's in words; one without words is said as it is.
func (w *exportWriter) coded(prefix string, code string) string {
	if code == "" {
		return ""
	}
	if text := w.say(prefix + "_" + code); text != prefix+"_"+code {
		return text
	}
	return code
}

func (w *exportWriter) day(d onward.Date) string {
	if d.IsZero() {
		return ""
	}
	return w.words.Date(d)
}

func (w *exportWriter) at(t time.Time) string { return w.day(onward.DateOf(t.UTC())) }

func (w *exportWriter) atMaybe(t *time.Time) string {
	if t == nil {
		return ""
	}
	return w.at(*t)
}

func (w *exportWriter) name(id onward.ID) string {
	if id.IsZero() {
		return ""
	}
	return cmp.Or(w.export.Names[id.String()], id.String())
}

func (w *exportWriter) place(id onward.PlaceID) string {
	if p, ok := w.catalogue.Place(id); ok {
		return p.Name
	}
	return strconv.FormatInt(int64(id), 10)
}

func (w *exportWriter) pay(minor int64, currency string) string {
	return fmt.Sprintf("%s %s", strconv.FormatFloat(float64(minor)/100, 'f', -1, 64), currency)
}

func (w *exportWriter) yesNo(yes bool) string {
	if yes {
		return w.say("yes")
	}
	return w.say("no")
}

func (w *exportWriter) page() exportView {
	e := w.export
	v := exportView{
		Language: w.code, Direction: "ltr", Title: w.say("title"), Style: template.CSS(exportStyle), //nolint:gosec // our own file
		Intro: []string{w.say("intro", "Agency", e.Agency, "Date", w.at(e.At)), w.say("purpose"), w.say("careful")},
	}
	if w.code == "ar" {
		v.Direction = "rtl"
	}
	v.Sections = []exportSection{
		w.until(), w.rights(), w.person(), w.profile(), w.consents(), w.withdrawals(), w.referrals(), w.placements(), w.checkIns(), w.alerts(), w.home(), w.lists(), w.changes(), w.access(), w.emergencies(),
	}
	for i := range v.Sections {
		s := &v.Sections[i]
		if len(s.Rows)+len(s.List) == 0 && s.ID != "until" {
			s.Sentences = []string{w.say("none")}
		}
	}
	return v
}

func (w *exportWriter) section(id string, sentences ...string) exportSection {
	return exportSection{ID: id, Heading: w.say("h_" + id), Sentences: sentences}
}

// head names the columns of a table.
func (s *exportSection) head(w *exportWriter, ids ...string) {
	for _, id := range ids {
		s.Head = append(s.Head, w.say("c_"+id))
	}
}

// row adds a line; a field without a value is left out where there are no columns.
func (s *exportSection) row(cells ...exportCell) { s.Rows = append(s.Rows, cells) }

func (s *exportSection) field(w *exportWriter, id string, values ...string) {
	if values = slices.DeleteFunc(values, func(v string) bool { return v == "" }); len(values) > 0 {
		s.row(exportCell{w.say(id)}, values)
	}
}

// one is a cell of one line, empty when there is nothing to say.
func one(text string) exportCell {
	if text == "" {
		return nil
	}
	return exportCell{text}
}

func (w *exportWriter) until() exportSection {
	e, s := w.export, w.section("until")
	switch {
	case e.Held:
		s.Sentences = append(s.Sentences, w.say("kept_held"))
	case e.KeptUntil.IsZero():
		s.Sentences = append(s.Sentences, w.say("kept_open", "Agency", e.Agency))
	default:
		s.Sentences = append(s.Sentences, w.say("kept_until", "Date", w.day(e.KeptUntil)))
	}
	if e.Prolonged != nil {
		s.Sentences = append(s.Sentences, w.say("kept_prolonged", "Date", w.day(e.Prolonged.Until), "Reason", e.Prolonged.Reason))
	}
	if e.ErasureAsked != nil {
		s.Sentences = append(s.Sentences, w.say("erasure_asked", "Date", w.atMaybe(e.ErasureAsked)))
	}
	return s
}

func (w *exportWriter) rights() exportSection {
	s := w.section("rights", w.say("right_free"))
	for _, id := range []string{"right_correct", "right_withdraw", "right_object", "right_copy", "right_erase"} {
		s.List = append(s.List, w.say(id))
	}
	s.List = append(s.List, w.say("right_complain", "Agency", w.export.Agency))
	return s
}

func (w *exportWriter) person() exportSection {
	r, s := w.export.Returnee, w.section("person", w.say("s_person", "Agency", w.export.Agency))
	i := r.Identity
	s.field(w, "given_name", i.GivenName)
	s.field(w, "family_name", i.FamilyName)
	s.field(w, "birth_date", w.day(r.BirthDate))
	s.field(w, "sex", w.coded("sex", i.Sex))
	s.field(w, "phone", i.Phone)
	s.field(w, "email", i.Email)
	if c := i.AlternateContact; c != nil {
		s.field(w, "alternate", c.Name, c.Phone, c.Relation)
	}
	s.field(w, "notes", i.Notes)
	s.field(w, "external_id", r.ExternalID)
	return s
}

func (w *exportWriter) profile() exportSection {
	r, s := w.export.Returnee, w.section("profile")
	label := func(id string) string { return cmp.Or(w.catalogue.Taxonomy().Label(id, w.code), id) }
	each := func(n int, line func(int) string) (lines []string) {
		for i := range n {
			lines = append(lines, line(i))
		}
		return lines
	}
	s.field(w, "country", r.Country)
	s.field(w, "language", w.languageName(r.Language))
	s.field(w, "returned_on", w.day(r.ReturnedOn))
	s.field(w, "available_from", w.day(r.AvailableFrom))
	s.field(w, "skills", each(len(r.Skills), func(i int) string { return label(r.Skills[i].SkillID) })...)
	s.field(w, "experience", each(len(r.Experience), func(i int) string {
		x := r.Experience[i]
		if x.Years == 0 {
			return label(x.OccupationID)
		}
		return label(x.OccupationID) + ", " + w.say("years", "N", strconv.FormatFloat(x.Years, 'f', -1, 64))
	})...)
	s.field(w, "languages", each(len(r.Languages), func(i int) string {
		return w.languageName(r.Languages[i].Language) + " " + string(r.Languages[i].Level)
	})...)
	s.field(w, "documents", each(len(r.Documents), func(i int) string {
		return w.words.Document(r.Documents[i].Kind) + ": " + w.coded("document", string(r.Documents[i].Status))
	})...)
	if r.Education != nil {
		s.field(w, "education", strconv.Itoa(*r.Education))
	}
	s.field(w, "places", each(len(r.Places), func(i int) string {
		return w.coded("relation", string(r.Places[i].Relation)) + ": " + w.place(r.Places[i].PlaceID)
	})...)
	if r.Intention != nil {
		s.field(w, "onward_intention", w.coded("intention", string(r.Intention.Intention)), w.say("since_on", "Date", w.day(r.Intention.RecordedOn)))
	}
	s.field(w, "preferences", w.preferences(r.Preferences)...)
	s.field(w, "household", w.household(r.Household)...)
	s.field(w, "safety", w.safety(r.Safety)...)
	return s
}

func (w *exportWriter) languageName(code string) string {
	if code == "" {
		return ""
	}
	return w.words.LanguageName(code)
}

func (w *exportWriter) preferences(p onward.Preferences) (lines []string) {
	for _, k := range p.Kinds {
		lines = append(lines, w.coded("kind", string(k)))
	}
	if p.ReservationMinor != nil {
		lines = append(lines, w.say("pay_least", "Pay", w.pay(*p.ReservationMinor, p.Currency)))
	}
	if p.HoursPerWeek != nil {
		lines = append(lines, w.say("hours_most", "N", strconv.FormatFloat(*p.HoursPerWeek, 'f', -1, 64)))
	}
	if p.NeedsChildcare != nil {
		lines = append(lines, w.say("childcare")+": "+w.yesNo(*p.NeedsChildcare))
	}
	if p.MaxCommuteMinutes != nil {
		lines = append(lines, w.say("commute_most", "N", *p.MaxCommuteMinutes))
	}
	return lines
}

func (w *exportWriter) household(h onward.Household) (lines []string) {
	if h.Adults != nil {
		lines = append(lines, w.say("adults", "N", *h.Adults))
	}
	if h.Children != nil {
		lines = append(lines, w.say("children", "N", *h.Children))
	}
	if h.CapitalMinor != nil {
		lines = append(lines, w.say("capital", "Pay", w.pay(*h.CapitalMinor, h.Currency)))
	}
	return lines
}

func (w *exportWriter) safety(s onward.Safety) (lines []string) {
	for _, p := range s.ExcludedPlaces {
		lines = append(lines, w.say("excluded_place", "Place", w.place(p.PlaceID), "N", p.RadiusKm))
	}
	if n := len(s.ExcludedOrganisations); n > 0 {
		lines = append(lines, w.say("excluded_organisations", "N", n))
	}
	if s.Protection {
		lines = append(lines, w.say("protected"))
	}
	return lines
}

func (w *exportWriter) consents() exportSection {
	s := w.section("consents", w.say("s_consents"))
	s.head(w, "what", "when", "until", "with", "state")
	for _, r := range w.export.Consents {
		c := r.Consent
		with := exportCell{}
		for _, id := range c.Recipients {
			with = append(with, w.name(id))
		}
		if c.Purpose == onward.ConsentSharing && len(c.Recipients)+len(c.RecipientKinds) == 0 {
			with = one(w.say("anyone"))
		}
		s.row(one(w.coded("purpose", string(c.Purpose))), one(w.at(r.At)), one(w.day(c.ExpiresOn)), with, one(w.coded("said", r.What)))
	}
	return s
}

func (w *exportWriter) withdrawals() exportSection {
	s := w.section("withdrawals")
	for _, x := range w.export.Withdrawals {
		line := w.at(x.At) + ": " + w.coded("cause", x.Cause) + ". " + w.say("stopped", "N", len(x.Referrals))
		for _, d := range x.Deletions {
			line += " " + w.say("deletion_asked", "Name", w.name(d.RecipientID), "Date", w.at(d.AskedAt))
			if d.ConfirmedAt != nil {
				line += " " + w.say("deletion_done", "Name", w.name(d.RecipientID), "Date", w.atMaybe(d.ConfirmedAt))
			}
		}
		s.List = append(s.List, line)
	}
	return s
}

func (w *exportWriter) referrals() exportSection {
	s := w.section("referrals", w.say("s_referrals"))
	s.head(w, "opening", "of", "when", "state", "told")
	for _, r := range w.export.Referrals {
		told := exportCell{cmp.Or(r.Told, w.words.Told(r.Status, r.Reason))}
		if len(r.Links) > 0 {
			told = append(told, w.say("answered_link"))
		}
		s.row(one(cmp.Or(r.Opportunity.In(w.code), w.say("unknown"))), one(w.name(r.RecipientID)), one(w.at(r.CreatedAt)),
			append(one(w.coded("status", string(r.Status))), one(w.atMaybe(r.EndedAt))...), slices.DeleteFunc(told, func(t string) bool { return t == "" }))
	}
	return s
}

func (w *exportWriter) placements() exportSection {
	s := w.section("placements")
	s.head(w, "of", "when", "pay", "how")
	for _, p := range w.export.Placements {
		pay := exportCell{}
		if p.WageMinor != nil {
			pay = one(w.pay(*p.WageMinor, p.Currency))
		}
		when := exportCell{w.day(p.StartedOn)}
		if !p.EndedOn.IsZero() {
			when = append(when, w.say("until_on", "Date", w.day(p.EndedOn)))
		}
		s.row(one(w.name(p.RecipientID)), when, pay, one(w.coded("end", string(p.EndReason))))
	}
	return s
}

func (w *exportWriter) checkIns() exportSection {
	s := w.section("check_ins")
	s.head(w, "when", "by", "state", "answers")
	for _, c := range w.export.CheckIns {
		said := exportCell{}
		q := w.questions[c.Questionnaire]
		for _, id := range slices.Sorted(maps.Keys(c.Answers)) {
			said = append(said, w.answer(q, id, c.Answers[id]))
		}
		for _, a := range c.Log {
			if a.Note != "" {
				said = append(said, w.at(a.At)+": "+a.Note)
			}
		}
		s.row(one(w.day(c.DueOn)), one(cmp.Or(w.name(c.PartnerID), w.export.Agency)), one(w.coded("status", string(c.Status))), said)
	}
	return s
}

// answer is a question with what was answered, in words.
func (w *exportWriter) answer(q onward.Questionnaire, id, value string) string {
	at := slices.IndexFunc(q.Items, func(i onward.Item) bool { return i.ID == id })
	if at < 0 {
		return id + ": " + value
	}
	item := q.Items[at]
	switch item.Scale {
	case onward.ScaleYesNo:
		value = cmp.Or(map[string]string{"yes": w.say("yes"), "no": w.say("no")}[value], value)
	case onward.ScaleChoice:
		if c := slices.IndexFunc(item.Choices, func(c onward.ItemChoice) bool { return c.Value == value }); c >= 0 {
			value = item.Choices[c].Text.In(w.code)
		}
	case onward.ScaleLikert:
		value = fmt.Sprintf("%s / %g", value, item.Max)
	case onward.ScaleNumber, onward.ScaleText:
	}
	return item.Text.In(w.code) + " " + value
}

func (w *exportWriter) alerts() exportSection {
	s := w.section("alerts", w.say("s_alerts"))
	s.head(w, "when", "what", "of", "state")
	for _, a := range w.export.Alerts {
		what := exportCell{w.coded("alert", string(a.Kind))}
		for _, entry := range a.Trail {
			if entry.Note != "" {
				what = append(what, w.at(entry.At)+": "+entry.Note)
			}
		}
		s.row(one(w.at(a.RaisedAt)), what, one(w.name(a.RecipientID)), one(w.coded("status", a.Status)))
	}
	return s
}

func (w *exportWriter) home() exportSection {
	s := w.section("home")
	for _, r := range w.export.Residences {
		where := w.say("abroad")
		if r.PlaceID != 0 {
			where = w.place(r.PlaceID)
		}
		s.row(one(w.day(r.ObservedOn)), one(where))
	}
	for _, h := range w.export.Households {
		s.row(one(w.at(h.CreatedAt)), one(w.say("adults", "N", len(h.Adults))))
	}
	return s
}

func (w *exportWriter) lists() exportSection {
	s := w.section("lists")
	s.head(w, "when", "state", "results")
	for _, r := range w.export.Requests {
		results := exportCell{}
		if r.List != nil {
			results = one(strconv.Itoa(len(r.List.Referrals)))
		}
		s.row(one(w.at(r.CreatedAt)), one(w.coded("status", string(r.Status))), results)
	}
	return s
}

func (w *exportWriter) changes() exportSection {
	s := w.section("changes", w.say("s_changes"))
	s.head(w, "when", "what", "before", "why")
	for _, c := range w.export.Changes {
		what, before := exportCell{}, exportCell{}
		for _, f := range c.Fields {
			what = append(what, w.fieldName(f))
			if text, ok := c.Before[f].(string); ok {
				before = append(before, text)
			}
		}
		s.row(one(w.at(c.At)), what, before, one(c.Reason))
	}
	return s
}

// fieldName is a field of the record in words.
func (w *exportWriter) fieldName(field string) string {
	name := strings.TrimPrefix(field, "identity.")
	if name == "alternate_contact" {
		name = "alternate"
	}
	return w.say(name)
}

// aboutOf are the records that the audit names, by what they are to the person.
var aboutOf = map[string]string{
	"returnee": "person", "returnees": "person", "returnee_identities": "person", "returnee_changes": "person", "shared_identity": "shared", "check_in_contact": "contact", "export": "export",
	"caseload_search": "search", "consent_records": "consents", "withdrawals": "consents", "deletion_requests": "consents", "referrals": "referrals", "referral_requests": "referrals",
	"placements": "placements", "check_ins": "check_ins", "alerts": "alerts", "residences": "home", "households": "home", "household_adults": "home",
}

// access tells who read and changed what, by organisation and role: hundreds of lines would tell less.
func (w *exportWriter) access() exportSection {
	type who struct {
		of                  onward.ID
		role, action, about string
	}
	times, last := map[who]int{}, map[who]time.Time{}
	for _, a := range w.export.Audit {
		k := who{a.Of, a.Role, a.Action, cmp.Or(aboutOf[a.Resource], "rest")}
		times[k]++
		if a.At.After(last[k]) {
			last[k] = a.At
		}
	}
	s := w.section("access", w.say("s_access"))
	s.head(w, "by", "what", "times", "last")
	keys := slices.SortedFunc(maps.Keys(times), func(a, b who) int { return last[b].Compare(last[a]) })
	for _, k := range keys {
		by := exportCell{w.coded("role", k.role)}
		if name := w.name(k.of); name != "" {
			by = append(by, name)
		}
		s.row(by, one(w.coded("action", k.action)+": "+w.say("about_"+k.about)), one(strconv.Itoa(times[k])), one(w.at(last[k])))
	}
	return s
}

func (w *exportWriter) emergencies() exportSection {
	s := w.section("emergency")
	s.head(w, "when", "why", "state")
	for _, a := range w.export.Emergencies {
		state := "reviewed_not"
		if a.Justified != nil {
			state = map[bool]string{true: "reviewed_yes", false: "reviewed_no"}[*a.Justified]
		}
		s.row(one(w.at(a.OpenedAt)), one(a.Reason), one(w.say(state)))
	}
	return s
}
