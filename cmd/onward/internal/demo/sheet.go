package demo

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"onward"
	"onward/matcher/sentences"
)

// ListView is one returnee's ranked list with what stands around it.
type ListView struct {
	Request   onward.ReferralRequest
	Person    onward.Returnee
	Language  string // "es" or "en"; of titles and headings. Labels of skills come with the list
	Width     int    // columns; 0: those of the terminal, else 120
	Fictional bool   // says above and below that all of it is made up
	// Label names a concept of the taxonomy for the header, such as the person's occupations. Nil: they are left out.
	Label func(conceptID string) string
	// Look is LookFor(w) when nil.
	Look *Look
}

const (
	// narrowWidth is from where there is room for a table; below, openings are cards under each other.
	narrowWidth  = 100
	widestWidth  = 160 // lines that are longer tire the eye
	smallestPage = 40
)

// PrintList writes a ranked list for a person to read: a table where there is room, else cards. It wraps and never cuts.
func PrintList(w io.Writer, v ListView) error {
	p := printer{ListView: v, speaker: speaker{v.Language}, width: v.Width}
	if p.width <= 0 {
		p.width = WidthFor(w)
	}
	p.width = min(max(p.width, smallestPage), widestWidth)
	if v.Look == nil {
		p.look = LookFor(w)
	} else {
		p.look = *v.Look
	}
	p.head()
	switch list := v.Request.List; {
	case v.Request.Status == onward.RequestRefused:
		p.add(line{p.say("refused", v.Request.Refusal), warning, 2})
	case list == nil:
		p.add(line{p.say("queued"), normal, 2})
	default:
		p.destination(list.Destination)
		if q := list.Question; q != nil && q.Sentence != "" {
			p.add(line{"  " + q.Sentence, warning, 2})
		}
		p.heading("list")
		switch {
		case len(list.Referrals) == 0:
			p.add(line{p.say("none"), normal, 0})
		case p.width < narrowWidth:
			p.cards(list.Referrals)
		default:
			p.table(list.Referrals)
		}
		p.nearMisses(list.NearMisses)
		p.unlocks(list.Unlocks)
		p.foot(list)
	}
	if _, err := io.WriteString(w, p.page.String()); err != nil {
		return fmt.Errorf("print list: %w", err)
	}
	return nil
}

type printer struct {
	ListView
	speaker
	look  Look
	width int
	page  strings.Builder
}

func (p *printer) add(lines ...line) {
	for _, s := range p.look.fit(lines, p.width) {
		p.page.WriteString(strings.TrimRight(s, " ") + "\n")
	}
}

func (p *printer) gap() { p.page.WriteByte('\n') }

func (p *printer) heading(key string) {
	p.gap()
	p.add(line{strings.ToUpper(p.say(key)), strong, 0})
}

func (p *printer) head() {
	if p.Fictional {
		p.add(line{p.say("fictional"), warning, 0})
		p.gap()
	}
	p.person()
	if list := p.Request.List; list != nil && list.Degraded != "" {
		p.add(line{p.say("degraded", list.Degraded), warning, 2})
	}
}

// mostPlaces of a likely destination are shown, and none below leastShown; the rest is one line.
const (
	mostPlaces = 6
	leastShown = 0.015
)

// destination prints the likely destination as bars.
func (p *printer) destination(d onward.Destination) {
	p.heading("where")
	type row struct {
		name, reason string
		share        float64
		quiet        bool
	}
	var rows []row
	rest := d.Elsewhere
	for i, place := range d.Places {
		if i >= mostPlaces || place.Probability < leastShown {
			rest += place.Probability
			continue
		}
		rows = append(rows, row{p.town(place.Name), p.ties(place.Reason), place.Probability, false})
	}
	rows = append(rows, row{p.say("elsewhere"), "", rest, true}, row{p.say("abroad"), "", d.Abroad, true})
	label, ties := 0, 0
	for _, r := range rows {
		label, ties = max(label, text.StringWidth(r.name)), max(ties, text.StringWidth(r.reason))
	}
	const percent = 11 // two blanks before the name, and "  100 %  "
	label = min(label, p.width/2)
	bar, beside := min(30, p.width-label-percent-ties-2), true
	if bar < 10 { // the ties go below, for all places alike
		bar, beside = max(1, min(30, p.width-label-percent)), false
	}
	for _, r := range rows {
		t := normal
		if r.quiet {
			t = faint
		}
		names := wrap(p.look.signs(r.name), label, 2)
		for _, name := range names[:len(names)-1] {
			p.add(line{"  " + name, t, 0})
		}
		name := names[len(names)-1]
		drawn, tie, below := p.bar(r.share, bar), "", r.reason
		if beside {
			tie, below = r.reason, ""
		}
		if tie == "" {
			drawn = strings.TrimRight(drawn, " ")
		} else {
			drawn += "  "
		}
		p.page.WriteString("  " + p.look.tint(name, t) + strings.Repeat(" ", label-text.StringWidth(name)) +
			fmt.Sprintf("  %3.0f %%  ", 100*r.share) + p.look.tint(drawn, good) + p.look.tint(tie, faint) + "\n")
		if below != "" {
			p.add(line{"    " + below, faint, 4})
		}
	}
	switch {
	case d.Overridden:
		p.add(line{"  " + p.say("overridden"), faint, 2})
	case d.Note != "":
		p.add(line{"  " + p.say("rests", d.Note), faint, 2})
	}
}

func (p *printer) ties(reason string) string {
	if reason == "" {
		return ""
	}
	ties := strings.Split(reason, ", ")
	for i, tie := range ties {
		if w, ok := words[tie]; ok {
			ties[i] = p.of(w)
		}
	}
	return strings.Join(ties, ", ")
}

// bar is as long as a share, with the empty part left blank so that reasons line up.
func (p *printer) bar(share float64, width int) string {
	n := min(width, int(math.Round(share*float64(width))))
	if n == 0 && share >= 0.005 {
		n = 1
	}
	sign := "#"
	if p.look.Unicode {
		sign = "█"
	}
	return strings.Repeat(sign, n) + strings.Repeat(" ", width-n)
}

// table prints the openings as rows.
func (p *printer) table(referrals []onward.RankedReferral) {
	const rank, gaps = 2, 10 // two blanks after each column
	score, pay := 16, 22
	if p.width >= 130 {
		pay = 28
	}
	if p.Language == "es" {
		score += 2 // "condiciones"
	}
	rest := p.width - rank - score - pay - gaps
	title := rest * 47 / 100
	skills := rest - title
	t := table.NewWriter()
	t.SetStyle(p.tableStyle())
	t.AppendHeader(table.Row{"#", p.say("opportunity"), p.say("score"), p.say("skills"), p.say("pay")})
	for _, r := range referrals {
		t.AppendRow(table.Row{
			p.look.tint(fmt.Sprint(r.Rank), strong),
			p.cell(p.openingLines(r), title),
			p.cell(p.scoreLines(r), score),
			p.cell(p.skillLines(r.Explanation), skills),
			p.cell(append(p.termLines(r), p.questions(r.Explanation.Gates)...), pay),
		})
	}
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 1, Align: text.AlignRight, AlignHeader: text.AlignRight, WidthMin: rank},
		{Number: 2, WidthMin: title},
		{Number: 3, WidthMin: score},
		{Number: 4, WidthMin: skills},
		{Number: 5},
	})
	for s := range strings.SplitSeq(t.Render(), "\n") {
		p.page.WriteString(strings.TrimRight(s, " ") + "\n")
	}
}

func (p *printer) tableStyle() table.Style {
	style := table.StyleDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Box.MiddleSeparator, style.Box.LeftSeparator, style.Box.RightSeparator = "-", "", ""
	if p.look.Unicode {
		style.Box.MiddleHorizontal, style.Box.MiddleSeparator = "─", "─"
	}
	style.Options = table.Options{SeparateHeader: true, SeparateRows: true}
	style.Format.Header = text.FormatDefault
	if p.look.Colour {
		style.Color.Header = text.Colors{text.Bold}
	}
	return style
}

func (p *printer) cell(lines []line, width int) string {
	return strings.Join(p.look.fit(lines, width), "\n")
}

// openingLines say what an opening is, of whom, and where.
func (p *printer) openingLines(r onward.RankedReferral) []line {
	o := r.Opportunity
	places := p.say("place")
	if o.PlacesLeft != 1 {
		places = p.say("places", o.PlacesLeft)
	}
	lines := []line{
		{o.Title.In(p.Language), strong, 2},
		{p.of(kindWords[o.Kind]) + " · " + organisation(o), normal, 2},
		{p.where(o, r.Explanation.ReachParts) + " · " + places, normal, 2},
	}
	if r.Robust {
		lines = append(lines, line{p.say("robust"), good, 2})
	}
	if moved := sentences.In(p.Language).Variety(r); moved != "" {
		lines = append(lines, line{moved, faint, 2})
	}
	return append(lines, p.changes(r)...)
}

func (p *printer) scoreLines(r onward.RankedReferral) []line {
	return []line{
		{fmt.Sprintf("%.2f", r.Score), strong, 0},
		{fmt.Sprintf("= %.2f %s", r.Fit, p.say("fit")), normal, 2},
		{fmt.Sprintf("× %.2f %s", r.Reach, p.say("reach")), normal, 2},
		{fmt.Sprintf("× %.2f %s", r.Terms, p.say("terms")), normal, 2},
	}
}

func (p *printer) termLines(r onward.RankedReferral) []line {
	var lines []line
	for _, s := range append(p.pay(r.Opportunity), p.dates(r.Opportunity)...) {
		lines = append(lines, line{s, normal, 2})
	}
	return lines
}

// cards prints the openings one under the other, for narrow pages.
func (p *printer) cards(referrals []onward.RankedReferral) {
	for _, r := range referrals {
		p.gap()
		o := r.Opportunity
		p.add(line{fmt.Sprintf("%2d. %s", r.Rank, o.Title.In(p.Language)), strong, 4})
		under := p.openingLines(r)[1:]
		under = append(under, line{fmt.Sprintf("%s %.2f = %.2f %s × %.2f %s × %.2f %s", p.say("score"), r.Score,
			r.Fit, p.say("fit"), r.Reach, p.say("reach"), r.Terms, p.say("terms")), normal, 2})
		under = append(under, p.skillLines(r.Explanation)...)
		under = append(under, line{strings.Join(append(p.pay(o), p.dates(o)...), " · "), normal, 2})
		under = append(under, p.questions(r.Explanation.Gates)...)
		for _, l := range under {
			p.add(line{"    " + l.text, l.tone, l.indent + 4})
		}
	}
}

// mostOfGroup is how many openings are named under what would open them.
const mostOfGroup = 3

// nearMisses groups them by what is missing: that is what a counsellor can act on.
func (p *printer) nearMisses(misses []onward.NearMiss) {
	if len(misses) == 0 {
		return
	}
	var order []string
	groups := map[string][]onward.NearMiss{}
	for _, m := range misses {
		key := strings.Join(m.Missing, "+")
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], m)
	}
	slices.SortStableFunc(order, func(a, b string) int { return groups[a][0].WouldRank - groups[b][0].WouldRank })
	p.heading("oneStep")
	for _, key := range order {
		p.nearMissGroup(groups[key])
	}
}

func (p *printer) nearMissGroup(group []onward.NearMiss) {
	needs := make([]string, len(group[0].Missing))
	for i, what := range group[0].Missing {
		needs[i] = p.needed(what)
	}
	needed := list(needs, p.say("and"))
	total := group[0].AlsoOpens + 1 // all near misses it opens, of which the list may name fewer
	opened := p.say("opens1", needed)
	if total > 1 {
		opened = p.say("opens", needed, total)
	}
	if why := p.lack(group[0].Missing[0], group[0].Facts); why != "" && len(needs) == 1 {
		opened += " (" + why + ")"
	}
	p.add(line{"  " + opened, strong, 4})
	for _, m := range group[:min(len(group), mostOfGroup)] {
		o := m.Opportunity
		where := p.town(o.Place)
		if o.Remote || where == "" {
			where = p.say("remote")
		}
		p.add(line{fmt.Sprintf("    %s %s · %s · %s (%.2f)", p.say("wouldRank", m.WouldRank), o.Title.In(p.Language), organisation(o), where, m.Score), normal, 6})
	}
	if rest := total - min(len(group), mostOfGroup); rest > 0 {
		p.add(line{"    " + p.say("more", rest), faint, 6})
	}
}

// mostUnlocks are shown: what a counsellor can take up in one talk.
const mostUnlocks = 5

// unlocks prints what would bring the most onto the list, besides what the near misses name.
func (p *printer) unlocks(unlocks []onward.Unlock) {
	var said []string
	for _, u := range unlocks {
		if (u.Change.Kind == onward.ChangeSkill || u.Change.Kind == onward.ChangeTraining) && len(said) < mostUnlocks {
			said = append(said, u.Sentence)
		}
	}
	if len(said) == 0 {
		return
	}
	p.heading("unlocks")
	for _, s := range said {
		p.add(line{"  " + s, normal, 4})
	}
}

func (p *printer) foot(list *onward.RankedList) {
	p.gap()
	p.add(line{p.say("legend"), faint, 0})
	p.add(line{p.say("considered", amount(float64(list.Considered)*100), p.answeredBy(list.AnsweredBy), p.moment(list.GeneratedAt)), faint, 0})
	if p.Fictional {
		p.add(line{p.say("star") + ". " + p.say("fictional"), warning, 0})
	}
}
