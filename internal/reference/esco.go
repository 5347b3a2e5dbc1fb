package reference

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"onward"
)

// ESCOAttribution is what the licence of ESCO (Commission Decision 2011/833/EU) asks for.
const ESCOAttribution = "This service uses the ESCO classification of the European Commission. https://esco.ec.europa.eu"

const escoURI = "http://data.europa.eu/esco/"

// ESCOOptions say how a release is read.
type ESCOOptions struct {
	// Release names the release, such as "esco-1.1.1". Default: from the names of the files.
	Release string
	// Progress is told the file that is being read, and the bytes read of all bytes. Default: none.
	Progress func(file string, done, total int64)
	// Warn is told what was odd and how it was handled, a sentence each. Default: none.
	Warn func(text string)
}

// ReadESCO reads the whole official ESCO release in the Commission's own CSV format, of version 1.0 to 1.2, from
// directories, zip files and single CSV files. All languages among the files are taken. labelFiles add labels in other
// languages: tables with tabs, plain or gzip, with a header and the columns id (or code, for ISCO groups), lang, label,
// and if there is one alt with more labels between bars.
//
// The id of a concept is its URI without http://data.europa.eu/esco/, but that of an ISCO group is isco/CODE, as in the
// starter taxonomy. Relations to concepts that the release names and does not describe are kept as they are and told to
// Warn; whoever builds a taxonomy leaves them out.
//
// EInvalid says which file or column is missing and what to do; ETooLarge when an archive unpacks to more than any
// release has.
func ReadESCO(ctx context.Context, paths, labelFiles []string, options ESCOOptions) (onward.Taxonomy, error) {
	if options.Warn == nil {
		options.Warn = func(string) {}
	}
	if options.Progress == nil {
		options.Progress = func(string, int64, int64) {}
	}
	source, err := findESCO(paths, options.Warn)
	if err != nil {
		return onward.Taxonomy{}, err
	}
	defer source.close()
	release := options.Release
	if release == "" {
		if release, err = source.release(); err != nil {
			return onward.Taxonomy{}, err
		}
	}
	r := &escoReader{
		ctx: ctx, options: options, index: make(map[string]int, 20_000),
		taxonomy: onward.Taxonomy{
			Release: release, Name: "ESCO " + strings.TrimPrefix(release, "esco-"), Source: ESCOAttribution,
			Concepts: make([]onward.Concept, 0, 20_000), Relations: make([]onward.Relation, 0, 160_000),
		},
	}
	if err := r.read(source, labelFiles); err != nil {
		return onward.Taxonomy{}, err
	}
	return r.taxonomy, nil
}

// escoReader puts one release together.
type escoReader struct {
	ctx         context.Context
	options     ESCOOptions
	taxonomy    onward.Taxonomy
	index       map[string]int // id -> position in taxonomy.Concepts
	seen        map[onward.Relation]bool
	file        string
	done, total int64
}

func (r *escoReader) read(source *escoSource, labelFiles []string) error {
	for _, f := range source.files {
		r.total += f.size
	}
	for _, name := range labelFiles {
		if info, err := os.Stat(name); err == nil {
			r.total += info.Size()
		}
	}
	r.seen = make(map[onward.Relation]bool, 160_000)
	for _, f := range source.files {
		if err := r.readFile(f); err != nil {
			return err
		}
	}
	for _, name := range labelFiles {
		if err := r.readLabels(name); err != nil {
			return err
		}
	}
	r.warnOfUnknown()
	r.options.Progress("", r.total, r.total)
	return nil
}

// tell reports progress and keeps the sum of all files below the limit.
func (r *escoReader) tell(n int64) error {
	r.done += n
	if r.done > escoTotalLimit {
		return onward.Errorf(onward.ETooLarge, "the files unpack to over %d MB; this is no ESCO release", escoTotalLimit>>20)
	}
	r.options.Progress(r.file, min(r.done, r.total), r.total)
	return r.ctx.Err()
}

// escoColumns are the columns that each table can't be read without.
var escoColumns = map[escoTable][]string{
	escoISCOGroups:         {"conceptUri", "code", "preferredLabel"},
	escoOccupations:        {"conceptUri", "iscoGroup", "preferredLabel", "altLabels"},
	escoSkillGroups:        {"conceptUri", "preferredLabel"},
	escoSkills:             {"conceptUri", "skillType", "preferredLabel", "altLabels"},
	escoOccupationSkills:   {"occupationUri", "relationType", "skillUri"},
	escoBroaderSkills:      {"conceptUri", "broaderUri"},
	escoBroaderOccupations: {"conceptUri", "broaderUri"},
	escoSkillSkills:        {"originalSkillUri", "relatedSkillUri"},
}

func (r *escoReader) readFile(f escoFile) error {
	r.file = f.name
	in, err := f.open()
	if err != nil {
		return onward.Errorf(onward.EInvalid, "%s: can't be read; download it again", f.name).Because(err)
	}
	defer func() { _ = in.Close() }()
	t, err := newTableReader(in, f.name, ',', escoColumns[f.table], r.tell)
	if err != nil {
		return err
	}
	odd := escoOddities{}
	for {
		if err := t.next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		switch f.table {
		case escoISCOGroups:
			err = r.concept(t, f.language, onward.Concept{Kind: onward.ConceptISCOGroup, Code: strings.Clone(t.get("code"))})
		case escoOccupations:
			code := strings.TrimPrefix(strings.TrimPrefix(t.get("iscogroup"), escoURI+"isco/"), "C")
			err = r.concept(t, f.language, onward.Concept{Kind: onward.ConceptOccupation, Code: strings.Clone(code)})
		case escoSkillGroups:
			err = r.concept(t, f.language, onward.Concept{Kind: onward.ConceptSkillGroup})
		case escoSkills:
			kind := onward.ConceptSkill
			if skillType := t.get("skilltype"); strings.HasSuffix(skillType, "knowledge") {
				kind = onward.ConceptKnowledge
			} else if skillType == "" && f.language == "en" {
				odd.untypedSkills++
			}
			err = r.concept(t, f.language, onward.Concept{Kind: kind})
		case escoOccupationSkills:
			err = r.occupationSkill(t, &odd)
		case escoBroaderSkills, escoBroaderOccupations:
			err = r.relation(t, "concepturi", "broaderuri", onward.RelationBroader)
		case escoSkillSkills:
			err = r.relation(t, "originalskilluri", "relatedskilluri", onward.RelationRelated)
		}
		if err != nil {
			return err
		}
	}
	odd.warn(f.name, r.options.Warn)
	return nil
}

// escoOddities counts what the official files are known to have and no one can do anything about.
type escoOddities struct{ untypedSkills, untypedRelations int }

func (o escoOddities) warn(file string, warn func(string)) {
	if o.untypedSkills > 0 {
		warn(fmt.Sprintf("%s: %d skills without skillType are read as skills, not knowledge", file, o.untypedSkills))
	}
	if o.untypedRelations > 0 {
		warn(fmt.Sprintf("%s: %d relations without skillType are read; the type stands with the skill", file, o.untypedRelations))
	}
}

// escoID is the id of a concept: "skill/0005c151-…", "isced-f/0613", and "isco/2166" for …/isco/C2166.
func escoID(uri string) (string, bool) {
	id, ok := strings.CutPrefix(uri, escoURI)
	if !ok {
		if id, ok = strings.CutPrefix(uri, "https"+strings.TrimPrefix(escoURI, "http")); !ok {
			return "", false
		}
	}
	if code, isco := strings.CutPrefix(id, "isco/C"); isco {
		return "isco/" + code, true
	}
	return id, id != ""
}

// id reads a column with a URI, as the string that the concepts hold already where there is one.
func (r *escoReader) id(t *tableReader, column string) (string, error) {
	id, ok := escoID(t.get(column))
	if !ok {
		return "", onward.Errorf(onward.EInvalid, "%s:%d: no ESCO address in column %s; use the file as it was downloaded", t.name, t.line(), column)
	}
	if i, known := r.index[id]; known {
		return r.taxonomy.Concepts[i].ID, nil
	}
	return strings.Clone(id), nil
}

// concept adds a concept, or the labels of another language to the one that is there.
func (r *escoReader) concept(t *tableReader, language string, c onward.Concept) error {
	if status := t.get("status"); status != "" && status != "released" {
		return nil
	}
	id, err := r.id(t, "concepturi")
	if err != nil {
		return err
	}
	i, known := r.index[id]
	if !known {
		c.ID = id
		i = len(r.taxonomy.Concepts)
		r.taxonomy.Concepts = append(r.taxonomy.Concepts, c)
		r.index[id] = i
	}
	addLabels(&r.taxonomy.Concepts[i], language, t.get("preferredlabel"), splitESCOLabels(t.get("altlabels")), splitESCOLabels(t.get("hiddenlabels")))
	return nil
}

// splitESCOLabels takes lists apart: by lines up to version 1.1, with bars in some collections.
func splitESCOLabels(list string) []string {
	if list == "" {
		return nil
	}
	if !strings.Contains(list, "\n") && strings.Contains(list, " | ") {
		return strings.Split(list, " | ")
	}
	return strings.Split(list, "\n")
}

// addLabels adds labels that the concept does not have in the language yet.
func addLabels(c *onward.Concept, language, preferred string, others ...[]string) {
	has := func(text string) bool {
		for _, l := range c.Labels {
			if l.Language == language && strings.EqualFold(l.Text, text) {
				return true
			}
		}
		return false
	}
	hasPreferred := false
	for _, l := range c.Labels {
		hasPreferred = hasPreferred || l.Language == language && l.Preferred
	}
	if preferred != "" && (!hasPreferred || !has(preferred)) {
		c.Labels = append(c.Labels, onward.Label{Language: language, Text: strings.Clone(preferred), Preferred: !hasPreferred})
	}
	for _, list := range others {
		for _, text := range list {
			if text = strings.TrimSpace(text); text != "" && !has(text) {
				c.Labels = append(c.Labels, onward.Label{Language: language, Text: strings.Clone(text)})
			}
		}
	}
}

func (r *escoReader) occupationSkill(t *tableReader, odd *escoOddities) error {
	kind := onward.RelationOptional
	switch relation := t.get("relationtype"); {
	case strings.Contains(relation, "essential"):
		kind = onward.RelationEssential
	case strings.Contains(relation, "optional"):
	default:
		return onward.Errorf(onward.EInvalid, "%s:%d: relationType is neither essential nor optional; use the file as it was downloaded", t.name, t.line())
	}
	if _, has := t.columns["skilltype"]; has && t.get("skilltype") == "" {
		odd.untypedRelations++
	}
	return r.relation(t, "occupationuri", "skilluri", kind)
}

func (r *escoReader) relation(t *tableReader, from, to string, kind onward.RelationKind) error {
	fromID, err := r.id(t, from)
	if err != nil {
		return err
	}
	toID, err := r.id(t, to)
	if err != nil {
		return err
	}
	relation := onward.Relation{From: fromID, To: toID, Kind: kind}
	if r.seen[relation] {
		return nil
	}
	r.seen[relation] = true
	r.taxonomy.Relations = append(r.taxonomy.Relations, relation)
	return nil
}

// warnOfUnknown tells what is named in relations only. Version 1.1.1 has one such occupation.
func (r *escoReader) warnOfUnknown() {
	type group struct{ concepts, relations int }
	unknown, groups := map[string]bool{}, map[string]*group{}
	for _, relation := range r.taxonomy.Relations {
		for _, id := range []string{relation.From, relation.To} {
			if _, known := r.index[id]; known {
				continue
			}
			what, _, _ := strings.Cut(id, "/")
			if groups[what] == nil {
				groups[what] = &group{}
			}
			groups[what].relations++
			if !unknown[id] {
				unknown[id] = true
				groups[what].concepts++
			}
		}
	}
	for _, what := range []string{"occupation", "skill", "isced-f", "isco"} {
		if g := groups[what]; g != nil {
			r.options.Warn(fmt.Sprintf("%d %s named in %d relations and not described in any file; these relations have no effect",
				g.concepts, map[string]string{"occupation": "occupation(s)", "skill": "skill(s) or group(s)", "isced-f": "field(s) of study", "isco": "ISCO group(s)"}[what], g.relations))
		}
	}
}

// readLabels adds the labels of one file.
func (r *escoReader) readLabels(name string) error {
	r.file = filepath.Base(name)
	f, err := os.Open(name) //nolint:gosec // the path is the operator's
	if err != nil {
		return onward.Errorf(onward.EInvalid, "%s: can't be read; check the path", name).Because(err)
	}
	defer func() { _ = f.Close() }()
	in, err := unpacked(f)
	if err != nil {
		return onward.Errorf(onward.EInvalid, "%s: not a complete gzip file; fetch it again", name).Because(err)
	}
	t, err := newTableReader(in, r.file, '\t', []string{"lang", "label"}, r.tell)
	if err != nil {
		return err
	}
	_, byID := t.columns["id"]
	if _, byCode := t.columns["code"]; !byID && !byCode {
		return onward.Errorf(onward.EInvalid, "%s: no column id (of a skill or occupation) or code (of an ISCO group); add one to the first line", r.file)
	}
	added, unknown := 0, 0
	for {
		if err := t.next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		id := "isco/" + strings.TrimPrefix(t.get("code"), "C")
		if byID {
			id = t.get("id")
			if short, isURI := escoID(id); isURI {
				id = short
			}
		}
		language := strings.ToLower(t.get("lang"))
		if !isLanguage(language) {
			return onward.Errorf(onward.EInvalid, "%s:%d: lang must be a language code of two or three letters, such as fr", t.name, t.line())
		}
		i, ok := r.index[id]
		if !ok {
			unknown++
			continue
		}
		addLabels(&r.taxonomy.Concepts[i], language, t.get("label"), strings.Split(t.get("alt"), "|"))
		added++
	}
	switch {
	case added == 0 && unknown > 0:
		return onward.Errorf(onward.EInvalid, "%s: none of its %d ids is in this release; give labels of the same classification", r.file, unknown)
	case unknown > 0:
		r.options.Warn(fmt.Sprintf("%s: %d of %d labels are left out: their concepts are not in this release", r.file, unknown, added+unknown))
	}
	return nil
}

func isLanguage(code string) bool {
	if len(code) < 2 || len(code) > 3 {
		return false
	}
	return strings.Trim(code, "abcdefghijklmnopqrstuvwxyz") == ""
}
