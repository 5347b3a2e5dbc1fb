package reference

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"onward"
)

// StarterRelease names the taxonomy that is part of the binary.
const StarterRelease = "onward-starter-1"

//go:embed taxonomy/*.tsv
var starterFiles embed.FS

// Starter returns the taxonomy that is part of the binary: occupations and skills that returnees bring and local
// economies need, keyed to ISCO-08 unit groups, in the languages of service. Each call parses the files anew (some tens of
// milliseconds).
//
// Ids are onward/skill/SLUG, onward/group/SLUG, onward/occupation/SLUG and isco/CODE.
func Starter() (onward.Taxonomy, error) {
	files, err := fs.Sub(starterFiles, "taxonomy")
	if err != nil {
		return onward.Taxonomy{}, fmt.Errorf("read the starter taxonomy: %w", err)
	}
	t, err := parseStarter(files)
	if err != nil {
		return onward.Taxonomy{}, fmt.Errorf("read the starter taxonomy: %w", err)
	}
	return t, nil
}

// starterParser puts the files together. Everything that a row names is checked when all rows are there.
type starterParser struct {
	taxonomy onward.Taxonomy
	stated   map[string]string // concept id -> file:line that states it
	named    []starterReference
}

// starterReference is a relation with the file:line that states it.
type starterReference struct {
	relation onward.Relation
	at       string
}

var (
	starterSlug = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	starterISCO = regexp.MustCompile(`^[0-9]{1,4}$`)
)

const (
	starterLabels = "en\tfr\tes\tar"
	starterAlso   = "alt_en\talt_fr\talt_es\talt_ar"
)

// starterTables lists the files by what their names begin with, with their header and what reads a row.
var starterTables = []struct {
	prefix, header string
	read           func(*starterParser, starterRow) error
}{
	{"isco_", "code\t" + starterLabels, (*starterParser).isco},
	{"groups_", "slug\tparent\t" + starterLabels, (*starterParser).group},
	{"skills_", "slug\tgroup\tbroader\tkind\t" + starterLabels + "\t" + starterAlso, (*starterParser).skill},
	{"occupations_", "slug\tisco08\tsector\tunseen_unpaid\t" + starterLabels + "\t" + starterAlso + "\tessential\toptional", (*starterParser).occupation},
}

// starterRow is one line of a file, by column.
type starterRow struct {
	at    string // file:line
	field map[string]string
}

func parseStarter(files fs.FS) (onward.Taxonomy, error) {
	p := &starterParser{stated: map[string]string{}, taxonomy: onward.Taxonomy{
		Release: StarterRelease, Name: "Onward starter taxonomy", Source: "Onward, keyed to ISCO-08 (ILO)",
	}}
	for _, table := range starterTables {
		names, err := fs.Glob(files, table.prefix+"*.tsv")
		if err != nil {
			return onward.Taxonomy{}, err
		}
		if len(names) == 0 {
			return onward.Taxonomy{}, fmt.Errorf("no %s*.tsv", table.prefix)
		}
		for _, name := range names { // sorted, so that a stands before b
			text, err := fs.ReadFile(files, name)
			if err != nil {
				return onward.Taxonomy{}, err
			}
			if err := eachStarterRow(name, string(text), table.header, func(row starterRow) error { return table.read(p, row) }); err != nil {
				return onward.Taxonomy{}, err
			}
		}
	}
	return p.taxonomy, p.resolve()
}

func eachStarterRow(name, text, header string, each func(starterRow) error) error {
	columns := strings.Split(header, "\t")
	number := 0
	for line := range strings.Lines(text) {
		number++
		at := fmt.Sprintf("%s:%d", name, number)
		line = strings.TrimSuffix(line, "\n")
		if number == 1 {
			if line != header {
				return fmt.Errorf("%s: the header is not %q", at, header)
			}
			continue
		}
		fields := strings.Split(line, "\t")
		switch {
		case !utf8.ValidString(line):
			return fmt.Errorf("%s: not UTF-8", at)
		case len(fields) != len(columns):
			return fmt.Errorf("%s: %d columns, not %d", at, len(fields), len(columns))
		}
		row := starterRow{at: at, field: make(map[string]string, len(columns))}
		for i, field := range fields {
			if field != strings.TrimSpace(field) || strings.ContainsAny(field, "\r\x00") {
				return fmt.Errorf("%s: column %s has spaces around it or control characters", at, columns[i])
			}
			row.field[columns[i]] = field
		}
		if err := each(row); err != nil {
			return err
		}
	}
	if number < 2 {
		return fmt.Errorf("%s: no rows", name)
	}
	return nil
}

// list takes a column with bars apart.
func (r starterRow) list(column string) ([]string, error) {
	if r.field[column] == "" {
		return nil, nil
	}
	items := strings.Split(r.field[column], "|")
	for i, item := range items {
		if item == "" || item != strings.TrimSpace(item) || slices.Contains(items[:i], item) {
			return nil, fmt.Errorf("%s: column %s has an empty, repeated or spaced item: %q", r.at, column, item)
		}
	}
	return items, nil
}

// labels reads the names in all languages of service; each must be there.
func (r starterRow) labels() ([]onward.Label, error) {
	var labels []onward.Label
	for _, language := range onward.ServiceLanguages() {
		name := r.field[language]
		if name == "" {
			return nil, fmt.Errorf("%s: no name in column %s", r.at, language)
		}
		labels = append(labels, onward.Label{Language: language, Text: name, Preferred: true})
		also, err := r.list("alt_" + language)
		if err != nil {
			return nil, err
		}
		for _, text := range also {
			if text != name {
				labels = append(labels, onward.Label{Language: language, Text: text})
			}
		}
	}
	return labels, nil
}

func (p *starterParser) add(row starterRow, id string, c onward.Concept) error {
	if at, twice := p.stated[id]; twice {
		return fmt.Errorf("%s: %s stands at %s already", row.at, id, at)
	}
	labels, err := row.labels()
	if err != nil {
		return err
	}
	p.stated[id] = row.at
	c.ID, c.Labels = id, labels
	p.taxonomy.Concepts = append(p.taxonomy.Concepts, c)
	return nil
}

func (p *starterParser) relate(row starterRow, from, to string, kind onward.RelationKind) {
	p.named = append(p.named, starterReference{onward.Relation{From: from, To: to, Kind: kind}, row.at})
}

func (r starterRow) slug() (string, error) {
	slug := r.field["slug"]
	if !starterSlug.MatchString(slug) {
		return "", fmt.Errorf("%s: %q is no slug", r.at, slug)
	}
	return slug, nil
}

func (p *starterParser) isco(row starterRow) error {
	code := row.field["code"]
	if !starterISCO.MatchString(code) {
		return fmt.Errorf("%s: %q is no ISCO-08 code", row.at, code)
	}
	if _, known := p.stated["isco/"+code]; known {
		return nil // both parts name the groups that they need; the first one counts
	}
	if len(code) > 1 {
		p.relate(row, "isco/"+code, "isco/"+code[:len(code)-1], onward.RelationBroader)
	}
	return p.add(row, "isco/"+code, onward.Concept{Kind: onward.ConceptISCOGroup, Code: code})
}

func (p *starterParser) group(row starterRow) error {
	slug, err := row.slug()
	if err != nil {
		return err
	}
	id := "onward/group/" + slug
	if parent := row.field["parent"]; parent != "" {
		p.relate(row, id, "onward/group/"+parent, onward.RelationBroader)
	}
	return p.add(row, id, onward.Concept{Kind: onward.ConceptSkillGroup})
}

func (p *starterParser) skill(row starterRow) error {
	slug, err := row.slug()
	if err != nil {
		return err
	}
	id, kind := "onward/skill/"+slug, onward.ConceptKind(row.field["kind"])
	if !kind.IsSkill() {
		return fmt.Errorf("%s: kind %q is neither skill nor knowledge", row.at, kind)
	}
	p.relate(row, id, "onward/group/"+row.field["group"], onward.RelationBroader)
	if broader := row.field["broader"]; broader != "" {
		p.relate(row, id, "onward/skill/"+broader, onward.RelationBroader)
	}
	return p.add(row, id, onward.Concept{Kind: kind})
}

func (p *starterParser) occupation(row starterRow) error {
	slug, err := row.slug()
	if err != nil {
		return err
	}
	id, code := "onward/occupation/"+slug, row.field["isco08"]
	if len(code) != 4 || !starterISCO.MatchString(code) {
		return fmt.Errorf("%s: %q is no ISCO-08 unit group", row.at, code)
	}
	if row.field["sector"] == "" {
		return fmt.Errorf("%s: no sector", row.at)
	}
	unpaid := row.field["unseen_unpaid"]
	if unpaid != "0" && unpaid != "1" {
		return fmt.Errorf("%s: unseen_unpaid is neither 0 nor 1", row.at)
	}
	p.relate(row, id, "isco/"+code, onward.RelationBroader)
	essential, err := row.list("essential")
	if err != nil {
		return err
	}
	if len(essential) == 0 {
		return fmt.Errorf("%s: no essential skill", row.at)
	}
	optional, err := row.list("optional")
	if err != nil {
		return err
	}
	for _, skill := range essential {
		p.relate(row, id, "onward/skill/"+skill, onward.RelationEssential)
	}
	for _, skill := range optional {
		if slices.Contains(essential, skill) {
			return fmt.Errorf("%s: skill %q is essential and optional", row.at, skill)
		}
		p.relate(row, id, "onward/skill/"+skill, onward.RelationOptional)
	}
	return p.add(row, id, onward.Concept{Kind: onward.ConceptOccupation, Code: code, UnseenUnpaid: unpaid == "1"})
}

// resolve checks that everything that is named is there, and that nothing is broader than itself.
func (p *starterParser) resolve() error {
	broader := map[string][]string{}
	for _, n := range p.named {
		if _, known := p.stated[n.relation.To]; !known {
			return fmt.Errorf("%s: no %s", n.at, n.relation.To)
		}
		p.taxonomy.Relations = append(p.taxonomy.Relations, n.relation)
		if n.relation.Kind == onward.RelationBroader {
			broader[n.relation.From] = append(broader[n.relation.From], n.relation.To)
		}
	}
	const open, closed = 1, 2
	state := map[string]int{}
	var visit func(id string) error
	visit = func(id string) error {
		if state[id] == closed {
			return nil
		}
		if state[id] == open {
			return fmt.Errorf("%s: %s is broader than itself", p.stated[id], id)
		}
		state[id] = open
		for _, to := range broader[id] {
			if err := visit(to); err != nil {
				return err
			}
		}
		state[id] = closed
		return nil
	}
	for _, c := range p.taxonomy.Concepts {
		if err := visit(c.ID); err != nil {
			return err
		}
	}
	return nil
}
