package demo

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"onward"
)

// words are the headings and small words of a sheet.
var words = map[string]phrase{
	"fictional":    {"DEMOSTRACIÓN: las personas, organizaciones y vacantes son ficticias; solo las ciudades existen.", "DEMONSTRATION: people, organisations and openings are fictional; only the cities exist."},
	"star":         {"* organización ficticia", "* fictional organisation"},
	"where":        {"Dónde es probable que viva", "Likely destination: where the person may be living"},
	"elsewhere":    {"otros lugares del país", "other places in the country"},
	"abroad":       {"en el extranjero", "abroad"},
	"rests":        {"Se basa en: %s.", "It rests on: %s."},
	"overridden":   {"Indicado por la consejera o el consejero, no por el modelo.", "Stated by the counsellor, not by the model."},
	"origin":       {"origen", "origin"},
	"current":      {"vive ahí ahora", "lives there now"},
	"previous":     {"vivió ahí", "lived there before"},
	"kin":          {"familia", "family"},
	"intended":     {"quiere vivir ahí", "wants to live there"},
	"list":         {"Oportunidades, de mejor a peor", "Opportunities, best first"},
	"none":         {"Ninguna vacante abierta queda al alcance por ahora.", "No open opportunity is within reach at present."},
	"queued":       {"La lista aún se prepara.", "The list is still being made."},
	"refused":      {"No hay lista: %s", "There is no list: %s"},
	"degraded":     {"Atención: respondió el índice de reserva (%s).", "Note: a fallback index answered (%s)."},
	"opportunity":  {"Oportunidad", "Opportunity"},
	"score":        {"Puntaje", "Score"},
	"skills":       {"Habilidades", "Skills"},
	"pay":          {"Pago y fechas", "Pay and dates"},
	"has":          {"Tiene %d de %d: ", "Has %d of %d: "},
	"near":         {"Parecido: ", "Close: "},
	"lacks":        {"Le falta: ", "Lacks: "},
	"essential":    {" (esencial)", " (essential)"},
	"from":         {"%s, por %s", "%s, through %s"},
	"more":         {"y %d más", "and %d more"},
	"byOccupation": {"(las usuales de la ocupación; nadie las precisó)", "(those usual for the occupation; nobody stated them)"},
	"noSkills":     {"Nadie describió las habilidades; se toma una aptitud neutra.", "Nobody described the skills; a neutral fit is taken."},
	"robust":       {"a su alcance viva donde viva", "within reach wherever the person lives"},
	"unlocks":      {"Qué abriría más puertas", "What would open more doors"},
	"fit":          {"aptitud", "fit"},
	"reach":        {"alcance", "reach"},
	"terms":        {"condiciones", "terms"},
	"legend": {
		"Puntaje = aptitud × alcance × condiciones, cada uno de 0 a 1. Aptitud: cuánto cubren sus habilidades lo que se pide. Alcance: qué tan probable es que viva donde pueda llegar. Condiciones: pago, horario, tipo y fechas frente a sus deseos.",
		"Score = fit × reach × terms, each from 0 to 1. Fit: how well the person's skills cover what is asked. Reach: how likely the person will live where they can get to it. Terms: pay, hours, kind and dates against their wishes.",
	},
	"remote":      {"A distancia, desde cualquier lugar", "Remote, from anywhere"},
	"away":        {"%s, a %.0f km de %s", "%s, %.0f km from %s"},
	"assisted":    {"%s (lejos; ofrece vivienda o traslado)", "%s (far; housing or moving is offered)"},
	"place":       {"1 lugar", "1 place"},
	"places":      {"%d lugares", "%d places"},
	"noPay":       {"pago sin precisar", "pay not stated"},
	"month":       {" al mes", " a month"},
	"week":        {"/semana", " a week"},
	"day":         {" al día", " a day"},
	"hour":        {" por hora", " an hour"},
	"year":        {" al año", " a year"},
	"once":        {"apoyo único de %s", "a single grant of %s"},
	"about":       {"≈ %s al mes", "≈ %s a month"},
	"starts":      {"empieza %s", "starts %s"},
	"soon":        {"empieza al acordarse", "starts as agreed"},
	"closes":      {"cierra %s", "closes %s"},
	"ask":         {"Preguntar: %s", "Ask about: %s"},
	"notVetted":   {"si la oferta está verificada", "whether the offer was checked"},
	"birthDate":   {"fecha de nacimiento", "date of birth"},
	"language":    {"nivel de idioma", "level of language"},
	"years":       {"%d años", "%d years old"},
	"returned":    {"regresó el %s", "returned on %s"},
	"from0":       {"de %s", "from %s"},
	"livesIn":     {"vive en %s", "lives in %s"},
	"family":      {"familia en %s", "family in %s"},
	"wantsTo":     {"quiere vivir en %s", "wants to live in %s"},
	"worked":      {"Trabajo: %s", "Work: %s"},
	"yearsOf":     {"%s (%s años)", "%s (%s years)"},
	"yearsUnpaid": {"%s (%s años, sin pago)", "%s (%s years, unpaid)"},
	"speaks":      {"Idiomas: %s", "Languages: %s"},
	"held":        {"Documentos que tiene: %s", "Papers held: %s"},
	"underWay":    {"En trámite: %s", "Under way: %s"},
	"withDate":    {"%s, se espera el %s", "%s, expected on %s"},
	"notHeld":     {"Le faltan: %s", "Missing: %s"},
	"case":        {"expediente %s", "case %s"},
	"papers":      {"documentos", "papers"},
	"oneStep":     {"A un paso: lo que una sola cosa abriría", "One step away: what a single thing would open"},
	"opens1":      {"%s → abriría 1 oportunidad", "%s → would open 1 opportunity"},
	"opens":       {"%s → abriría %d oportunidades", "%s → would open %d opportunities"},
	"wouldRank":   {"sería la n.º %d:", "would rank %d:"},
	"freePlace":   {"Un lugar libre", "A free place"},
	"age":         {"Cumplir %s años", "Turning %s"},
	"languageAt":  {"%s, nivel %s", "%s at level %s"},
	"considered":  {"El índice %[2]s calificó %[1]s vacantes; lista del %[3]s.", "%s openings were scored by the %s index; list of %s."},
	"en":          {"Inglés", "English"},
	"es":          {"Español", "Spanish"},
	"fr":          {"Francés", "French"},
	"and":         {"y", "and"},
	"missing":     {"le falta", "missing"},
	"expected":    {"se espera el %s, después del inicio", "expected on %s, after the start"},
	"runsOut":     {"vence el %s, antes del inicio", "runs out on %s, before the start"},
}

var kindWords = map[onward.Kind]phrase{
	onward.Job: {"Empleo", "Job"}, onward.Apprenticeship: {"Aprendizaje", "Apprenticeship"}, onward.Training: {"Capacitación", "Training"},
	onward.EnterpriseGrant: {"Apoyo a negocio", "Enterprise grant"}, onward.Cooperative: {"Cooperativa", "Cooperative"},
	onward.CashForWork: {"Empleo temporal", "Cash for work"}, onward.ProjectPlace: {"Lugar en proyecto", "Project place"},
}

// documentWords name papers as they are called in Mexico.
var documentWords = map[string]phrase{
	"national_id": {"Identificación (INE, CURP)", "Identity card (INE, CURP)"}, "birth_certificate": {"Acta de nacimiento", "Birth certificate"},
	"tax_number": {"RFC", "Tax number (RFC)"}, "social_security_number": {"NSS (IMSS)", "Social security number (NSS)"},
	"work_permit": {"Permiso de trabajo", "Work permit"}, "driving_licence": {"Licencia de manejo", "Driving licence"},
	"heavy_vehicle_licence": {"Licencia federal de carga", "Heavy vehicle licence"}, "school_certificate": {"Certificado de estudios", "School certificate"},
	"trade_certificate": {"Certificado de oficio", "Trade certificate"}, "health_card": {"Tarjeta de salud", "Health card"},
	"food_handling_card": {"Tarjeta de manejo de alimentos", "Food handling card"}, "criminal_record_check": {"Carta de no antecedentes penales", "Criminal record check"},
	"bank_account": {"Cuenta bancaria", "Bank account"}, "proof_of_address": {"Comprobante de domicilio", "Proof of address"},
}

// speaker writes in one language.
type speaker struct{ language string }

func (s speaker) of(p phrase) string {
	if s.language == "es" {
		return p.es
	}
	return p.en
}

func (s speaker) say(key string, args ...any) string {
	said := s.of(words[key])
	if len(args) == 0 {
		return said
	}
	return fmt.Sprintf(said, args...)
}

func (s speaker) document(kind string) string {
	if p, ok := documentWords[kind]; ok {
		return s.of(p)
	}
	return strings.ReplaceAll(kind, "_", " ")
}

// needed names what opens a gate: a paper, "en:B2", "age:18", "free_place".
func (s speaker) needed(what string) string {
	name, level, leveled := strings.Cut(what, ":")
	switch {
	case what == "free_place":
		return s.say("freePlace")
	case leveled && name == "age":
		return s.say("age", level)
	case leveled:
		if p, ok := words[name]; ok {
			name = s.of(p)
		}
		return s.say("languageAt", name, level)
	default:
		return s.document(what)
	}
}

// together is a space at which no line breaks.
const together = "\u00a0"

var monthsES = [...]string{"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"}

func (s speaker) date(d onward.Date) string {
	t := d.Time()
	if s.language == "es" {
		return strings.Join([]string{strconv.Itoa(t.Day()), monthsES[t.Month()-1], strconv.Itoa(t.Year())}, together)
	}
	return t.Format("2" + together + "Jan" + together + "2006")
}

func (s speaker) moment(t time.Time) string { return s.date(onward.DateOf(t)) }

// amount writes whole units with thousands separated: "MXN 12,500".
func amount(minor float64) string {
	digits := strconv.FormatInt(int64(math.Round(minor/100)), 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func span(w onward.Wage) string {
	s := w.Currency + together + amount(float64(w.MinMinor))
	if w.MaxMinor != w.MinMinor {
		s += "–" + amount(float64(w.MaxMinor))
	}
	return s
}

// pay tells a wage, and what it is in a month where it is told by the day or week.
func (s speaker) pay(o onward.OpportunitySummary) []string {
	switch {
	case o.Wage == nil:
		return []string{s.say("noPay")}
	case o.Kind == onward.EnterpriseGrant:
		return []string{s.say("once", span(*o.Wage))}
	}
	told := []string{span(*o.Wage) + s.say(string(o.Wage.Period))}
	if o.Wage.Period == onward.PerDay || o.Wage.Period == onward.PerWeek {
		month := math.Round(o.Wage.MonthlyMinor(0)/10_000) * 10_000
		told = append(told, s.say("about", amount(month)))
	}
	return told
}

func (s speaker) dates(o onward.OpportunitySummary) []string {
	told := []string{s.say("soon")}
	if !o.StartsOn.IsZero() {
		told[0] = s.say("starts", s.date(o.StartsOn))
	}
	if !o.ClosesOn.IsZero() {
		told = append(told, s.say("closes", s.date(o.ClosesOn)))
	}
	return told
}

// town is the name of a place without its country: all places of a list are in one.
func (s speaker) town(label string) string {
	if i := strings.LastIndex(label, ", "); i > 0 && len(label)-i == 4 {
		label = label[:i]
	}
	if s.language == "es" && label == "Mexico City" {
		return shortNames[label]
	}
	return label
}

// answeredBy names the index that answered.
func (s speaker) answeredBy(index string) string {
	if index == "memory" && s.language == "es" {
		return "en memoria"
	}
	return index
}

// organisation marks made-up organisations with a star instead of the word, which the sheet explains.
func organisation(o onward.OpportunitySummary) string {
	name, wasLong := o.Organisation, false
	for _, suffix := range []string{" (ficticia)", " (ficticio)"} {
		if short, ok := strings.CutSuffix(name, suffix); ok {
			name, wasLong = short, true
		}
	}
	if o.Fictional || wasLong {
		name += "*"
	}
	return name
}

// where says where an opening is and why it is within reach.
func (s speaker) where(o onward.OpportunitySummary, parts []onward.ReachPart) string {
	place := s.town(o.Place)
	if o.Remote {
		return s.say("remote")
	}
	best := onward.ReachPart{}
	for _, p := range parts {
		if p.Probability*p.Access > best.Probability*best.Access {
			best = p
		}
	}
	switch {
	case best.PlaceID == 0 || best.PlaceID == o.PlaceID || best.DistanceKm == 0:
		return place
	case best.DistanceKm <= 60:
		city, _, _ := strings.Cut(best.Place, ",")
		return s.say("away", place, best.DistanceKm, city)
	default:
		return s.say("assisted", place)
	}
}

// mostNamed of the skills that are there or missing are named; the rest is counted.
const mostNamed = 4

// skillLines tell which skills are there, which are covered by a related one, and which are missing.
func (s speaker) skillLines(e onward.Explanation) []line {
	if len(e.Skills) == 0 {
		return []line{{s.say("noSkills"), faint, 0}}
	}
	var has, near, lacks []string
	for _, p := range e.Skills {
		switch {
		case p.Strength <= 0:
			label := p.Label
			if p.Essential {
				label += s.say("essential")
			}
			lacks = append(lacks, label)
		case p.Via != "":
			via := p.ViaLabel
			if via == "" {
				via = p.Via
			}
			near = append(near, s.say("from", p.Label, via))
		default:
			has = append(has, p.Label)
		}
	}
	var lines []line
	add := func(head string, labels []string, t tone, separator string) {
		if len(labels) == 0 {
			return
		}
		if rest := len(labels) - mostNamed; rest > 0 {
			labels = append(labels[:mostNamed:mostNamed], s.say("more", rest))
		}
		lines = append(lines, line{head + strings.Join(labels, separator), t, 2})
	}
	add(s.say("has", len(has), len(e.Skills)), has, good, ", ")
	add(s.say("near"), near, normal, "; ")
	add(s.say("lacks"), lacks, warning, ", ")
	if e.SkillBasis == onward.SkillsFromOccupation {
		lines = append(lines, line{s.say("byOccupation"), faint, 1})
	}
	return lines
}

// questions lists what a counsellor should ask: the facts that nobody knows.
func (s speaker) questions(gates []onward.GateResult) []line {
	var ask []string
	for _, g := range gates {
		for _, f := range g.Facts {
			if f.State != onward.GateUnknown {
				continue
			}
			switch f.Code { //nolint:exhaustive // the others are known
			case onward.FactDocumentNotKnown, onward.FactDocumentApplied:
				ask = append(ask, lower(s.document(string(f.Document))))
			case onward.FactNotVetted, onward.FactVettingRanOut:
				ask = append(ask, s.say("notVetted"))
			case onward.FactAgeUnknown:
				ask = append(ask, s.say("birthDate"))
			case onward.FactLanguageNotKnown:
				ask = append(ask, s.say("language"))
			}
		}
	}
	if len(ask) == 0 {
		return nil
	}
	return []line{{s.say("ask", strings.Join(ask, ", ")), warning, 2}}
}

// lack tells why one document is missing; empty when there is no more to say.
func (s speaker) lack(what string, facts []onward.Fact) string {
	for _, f := range facts {
		if string(f.Document) != what {
			continue
		}
		switch f.Code { //nolint:exhaustive // the others are no lack
		case onward.FactDocumentLate:
			return s.say("expected", s.date(f.Date))
		case onward.FactDocumentRunsOut:
			return s.say("runsOut", s.date(f.Date))
		case onward.FactDocumentMissing:
			return s.say("missing")
		}
	}
	return ""
}

// changes says what would move an opening up the list.
func (s speaker) changes(r onward.RankedReferral) []line {
	var lines []line
	for _, c := range r.Counterfactuals {
		if c.Rank <= mostMoved && r.Rank-c.Rank > 1 {
			lines = append(lines, line{c.Sentence, faint, 2})
		}
	}
	return lines
}

// mostMoved is the worst rank that a change is worth telling for, in print.
const mostMoved = 5
