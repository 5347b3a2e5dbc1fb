package reference_test

import (
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"onward"
	"onward/internal/reference"
	"onward/internal/testenv"
	"onward/store"
)

const esco = "http://data.europa.eu/esco/"

// smallESCO is a release of a handful of concepts with the quirks of the real one.
func smallESCO() map[string]string {
	return map[string]string{
		"ISCOGroups_en.csv": "conceptType,conceptUri,code,preferredLabel,status,altLabels\r\n" +
			"ISCOGroup," + esco + "isco/C7,7,Craft workers,released,\r\n" +
			"ISCOGroup," + esco + "isco/C7112,7112,Bricklayers,released,\"Masons\nStone workers\"\r\n",
		"occupations_en.csv": "\xef\xbb\xbfconceptType,conceptUri,iscoGroup,preferredLabel,altLabels,hiddenLabels,status\r\n" +
			"Occupation," + esco + "occupation/o1,7112,bricklayer,\"mason\nBricklayer\nbrick mason\",brikkie,released\r\n" +
			"Occupation," + esco + "occupation/gone,7112,wall maker,,,obsolete\r\n",
		"skillGroups_en.csv": "conceptType,conceptUri,preferredLabel,altLabels\r\nSkillGroup," + esco + "isced-f/0732,building,\r\n",
		"skills_en.csv": "conceptType,conceptUri,skillType,preferredLabel,altLabels\r\n" +
			"KnowledgeSkillCompetence," + esco + "skill/s1,skill/competence,lay bricks,set bricks\r\n" +
			"KnowledgeSkillCompetence," + esco + "skill/s2,knowledge,building codes,\r\n" +
			"KnowledgeSkillCompetence," + esco + "skill/s3,,mix mortar,\r\n",
		"occupationSkillRelations.csv": "occupationUri,relationType,skillType,skillUri\r\n" +
			esco + "occupation/o1,essential,skill/competence," + esco + "skill/s1\r\n" +
			esco + "occupation/o1,optional,knowledge," + esco + "skill/s2\r\n" +
			esco + "occupation/o1,optional,," + esco + "skill/s3\r\n" +
			esco + "occupation/unknown,optional,," + esco + "skill/s3\r\n",
		"broaderRelationsSkillPillar.csv": "conceptType,conceptUri,broaderType,broaderUri\r\nKnowledgeSkillCompetence," + esco + "skill/s2,SkillGroup," + esco + "isced-f/0732\r\n",
		"broaderRelationsOccPillar.csv": "conceptType,conceptUri,broaderType,broaderUri\r\n" +
			"ISCOGroup," + esco + "isco/C7112,ISCOGroup," + esco + "isco/C7\r\nOccupation," + esco + "occupation/o1,ISCOGroup," + esco + "isco/C7112\r\n",
		"skillSkillRelations.csv": "originalSkillUri,originalSkillType,relationType,relatedSkillType,relatedSkillUri\r\n" +
			esco + "skill/s2,knowledge,optional,skill/competence," + esco + "skill/s1\r\n",
		"conceptSchemes_en.csv": "conceptType\r\nConceptScheme\r\n",
	}
}

// escoDir writes files to a directory whose name tells the version.
func escoDir(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ESCO dataset - v9.8.7 - classification")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func escoZip(t *testing.T, name string, files map[string]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	for name, text := range files {
		entry, err := w.Create("folder/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(entry, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func named(language, text string) onward.Label {
	return onward.Label{Language: language, Text: text, Preferred: true}
}

func alsoNamed(language, text string) onward.Label {
	return onward.Label{Language: language, Text: text}
}

func readESCO(t *testing.T, paths, labels []string) (onward.Taxonomy, []string) {
	t.Helper()
	var warnings []string
	taxonomy, err := reference.ReadESCO(t.Context(), paths, labels, reference.ESCOOptions{Warn: func(text string) { warnings = append(warnings, text) }})
	if err != nil {
		t.Fatal(err)
	}
	return taxonomy, warnings
}

func conceptOf(t *testing.T, taxonomy onward.Taxonomy, id string) onward.Concept {
	t.Helper()
	i := slices.IndexFunc(taxonomy.Concepts, func(c onward.Concept) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("no concept %s", id)
	}
	return taxonomy.Concepts[i]
}

func TestESCOIsReadWithItsQuirks(t *testing.T) {
	t.Parallel()
	taxonomy, warnings := readESCO(t, []string{escoDir(t, smallESCO())}, nil)
	if taxonomy.Release != "esco-9.8.7" || !strings.Contains(taxonomy.Source, "ESCO classification of the European Commission") {
		t.Errorf("release %q, source %q", taxonomy.Release, taxonomy.Source)
	}
	if got := len(taxonomy.Concepts); got != 7 {
		t.Errorf("%d concepts, want 7", got)
	}
	occupation := conceptOf(t, taxonomy, "occupation/o1")
	if occupation.Kind != onward.ConceptOccupation || occupation.Code != "7112" {
		t.Errorf("occupation is %+v", occupation)
	}
	if want := []onward.Label{named("en", "bricklayer"), alsoNamed("en", "mason"), alsoNamed("en", "brick mason"), alsoNamed("en", "brikkie")}; !slices.Equal(occupation.Labels, want) {
		t.Errorf("labels are %v, want %v", occupation.Labels, want)
	}
	if c := conceptOf(t, taxonomy, "isco/7112"); c.Kind != onward.ConceptISCOGroup || c.Code != "7112" || len(c.Labels) != 3 {
		t.Errorf("ISCO group is %+v", c)
	}
	for id, kind := range map[string]onward.ConceptKind{
		"skill/s1": onward.ConceptSkill, "skill/s2": onward.ConceptKnowledge, "skill/s3": onward.ConceptSkill, "isced-f/0732": onward.ConceptSkillGroup,
	} {
		if c := conceptOf(t, taxonomy, id); c.Kind != kind {
			t.Errorf("%s is %s, want %s", id, c.Kind, kind)
		}
	}
	for _, want := range []onward.Relation{
		{From: "occupation/o1", To: "skill/s1", Kind: onward.RelationEssential},
		{From: "occupation/o1", To: "skill/s3", Kind: onward.RelationOptional},
		{From: "skill/s2", To: "isced-f/0732", Kind: onward.RelationBroader},
		{From: "isco/7112", To: "isco/7", Kind: onward.RelationBroader},
		{From: "occupation/o1", To: "isco/7112", Kind: onward.RelationBroader},
		{From: "skill/s2", To: "skill/s1", Kind: onward.RelationRelated},
	} {
		if !slices.Contains(taxonomy.Relations, want) {
			t.Errorf("no relation %v", want)
		}
	}
	all := strings.Join(warnings, "\n")
	for _, want := range []string{"1 skills without skillType", "2 relations without skillType", "1 occupation(s) named in 1 relations"} {
		if !strings.Contains(all, want) {
			t.Errorf("no warning of %q in:\n%s", want, all)
		}
	}
}

func TestESCOComesInArchivesOfSeveralLanguagesAndVersions(t *testing.T) {
	t.Parallel()
	shared, english := map[string]string{}, map[string]string{}
	for name, text := range smallESCO() {
		if strings.HasSuffix(name, "_en.csv") {
			english[name] = text
		} else {
			shared[name] = text
		}
	}
	french := map[string]string{
		"skills_fr.csv": "conceptType,conceptUri,skillType,preferredLabel,altLabels\n" +
			"KnowledgeSkillCompetence," + esco + "skill/s1,skill/competence,poser des briques,maçonner\n",
	}
	taxonomy, _ := readESCO(t, []string{
		escoZip(t, "ESCO dataset - v1.1.1 - classification -  - csv.zip", shared),
		escoZip(t, "ESCO dataset - v1.1.1 - classification - fr - csv.zip", french),
		escoZip(t, "ESCO dataset - v1.1.1 - classification - en - csv.zip", english),
	}, nil)
	if taxonomy.Release != "esco-1.1.1" {
		t.Errorf("release %q", taxonomy.Release)
	}
	want := []onward.Label{named("en", "lay bricks"), alsoNamed("en", "set bricks"), named("fr", "poser des briques"), alsoNamed("fr", "maçonner")}
	if c := conceptOf(t, taxonomy, "skill/s1"); !slices.Equal(c.Labels, want) {
		t.Errorf("labels are %v", c.Labels)
	}

	later := map[string]string{} // as from version 1.2 on: every file has a language and more columns
	for name, text := range smallESCO() {
		if name == "occupationSkillRelations.csv" {
			name = "occupationSkillRelations_en.csv"
			text = "occupationUri,occupationLabel,relationType,skillType,skillUri,skillLabel\n" +
				esco + "occupation/o1,bricklayer,essential,skill/competence," + esco + "skill/s1,lay bricks\n"
		}
		later[name] = text
	}
	if taxonomy, _ = readESCO(t, []string{escoDir(t, later)}, nil); !slices.Contains(taxonomy.Relations, onward.Relation{From: "occupation/o1", To: "skill/s1", Kind: onward.RelationEssential}) {
		t.Error("the relations of a later version are not read")
	}
}

func TestExtraLabelFilesAddLanguages(t *testing.T) {
	t.Parallel()
	dir := escoDir(t, smallESCO())
	plain := filepath.Join(t.TempDir(), "skills.tsv")
	if err := os.WriteFile(plain, []byte("id\tlang\tlabel\talt\tin\nskill/s1\tes\tponer \"ladrillos\"\tlevantar muros|albañilería\t1\nskill/zz\tes\totro\t\t0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	packed := filepath.Join(t.TempDir(), "isco.tsv.gz")
	f, err := os.Create(packed)
	if err != nil {
		t.Fatal(err)
	}
	w := gzip.NewWriter(f)
	if _, err := io.WriteString(w, "code\tlang\tlabel\n7112\tfr\tMaçons\n"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	taxonomy, warnings := readESCO(t, []string{dir}, []string{plain, packed})
	want := []onward.Label{named("en", "lay bricks"), alsoNamed("en", "set bricks"), named("es", `poner "ladrillos"`), alsoNamed("es", "levantar muros"), alsoNamed("es", "albañilería")}
	if c := conceptOf(t, taxonomy, "skill/s1"); !slices.Equal(c.Labels, want) {
		t.Errorf("labels are %v", c.Labels)
	}
	if c := conceptOf(t, taxonomy, "isco/7112"); !slices.Contains(c.Labels, onward.Label{Language: "fr", Text: "Maçons", Preferred: true}) {
		t.Errorf("labels are %v", c.Labels)
	}
	if !slices.ContainsFunc(warnings, func(w string) bool { return strings.HasPrefix(w, "skills.tsv: 1 of 2 labels are left out") }) {
		t.Errorf("warnings are %q", warnings)
	}
}

func TestESCOFilesThatCanNotBeReadAreNamed(t *testing.T) {
	t.Parallel()
	with := func(name, text string) []string {
		files := smallESCO()
		if text == "" {
			delete(files, name)
		} else {
			files[name] = text
		}
		return []string{escoDir(t, files)}
	}
	huge := filepath.Join(t.TempDir(), "ESCO v1.1.1.zip")
	f, err := os.Create(huge)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	if _, err := w.CreateRaw(&zip.FileHeader{Name: "skills_en.csv", Method: zip.Deflate, UncompressedSize64: 300 << 20}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "broken.zip")
	if err := os.WriteFile(broken, []byte("PK"), 0o600); err != nil {
		t.Fatal(err)
	}
	unnamed := filepath.Join(t.TempDir(), "release")
	if err := os.Rename(escoDir(t, smallESCO()), unnamed); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		paths []string
		code  onward.Code
		want  string
	}{
		{"nothing given", nil, onward.EInvalid, "name a directory"},
		{"no such path", []string{"/no/such/place"}, onward.EInvalid, "check the path"},
		{"only one of the archives", with("occupationSkillRelations.csv", ""), onward.EInvalid, "occupationSkillRelations.csv not found among 8 CSV files"},
		{"a column missing", with("skills_en.csv", "conceptUri,preferredLabel\n"), onward.EInvalid, "skills_en.csv: no column skillType, altLabels among"},
		{"an empty file", with("skills_en.csv", "\n"), onward.EInvalid, "skills_en.csv: the file is empty"},
		{"an unclosed quote", with("skills_en.csv", "conceptUri,skillType,preferredLabel,altLabels\n"+esco+"skill/s1,x,\"lay"), onward.EInvalid, "skills_en.csv:2: not CSV"},
		{"another encoding", with("skills_en.csv", "conceptUri,skillType,preferredLabel,altLabels\n"+esco+"skill/s1,x,alba\xf1il,\n"), onward.EInvalid, "skills_en.csv:2: not UTF-8"},
		{"no address", with("skills_en.csv", "conceptUri,skillType,preferredLabel,altLabels\nskill/s1,x,lay bricks,\n"), onward.EInvalid, "skills_en.csv:2: no ESCO address in column concepturi"},
		{"a relation of no kind", with("occupationSkillRelations.csv", "occupationUri,relationType,skillUri\n"+esco+"occupation/o1,maybe,"+esco+"skill/s1\n"), onward.EInvalid, "occupationSkillRelations.csv:2: relationType"},
		{"two versions", append(with("", ""), escoZip(t, "ESCO dataset - v1.0.8 - classification - en - csv.zip", nil)), onward.EInvalid, "several versions of ESCO (1.0.8, 9.8.7)"},
		{"no version", []string{unnamed}, onward.EInvalid, "--release"},
		{"a bomb", []string{huge}, onward.ETooLarge, "300 MB unpacked"},
		{"half an archive", []string{broken}, onward.EInvalid, "not a complete zip file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := reference.ReadESCO(t.Context(), test.paths, nil, reference.ESCOOptions{})
			if onward.CodeOf(err) != test.code || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s with %q", err, test.code, test.want)
			}
		})
	}
}

func TestReadingESCOStopsWhenAskedTo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := reference.ReadESCO(ctx, []string{escoDir(t, smallESCO())}, nil, reference.ESCOOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestTwoReleasesMeetInISCOAndInEqualNames(t *testing.T) {
	t.Parallel()
	release, _ := readESCO(t, []string{escoDir(t, smallESCO())}, nil)
	starter := onward.Taxonomy{
		Release: "starter",
		Concepts: []onward.Concept{
			{ID: "own/1", Kind: onward.ConceptSkill, Labels: []onward.Label{named("en", "Lay  bricks")}},
			{ID: "own/2", Kind: onward.ConceptSkill, Labels: []onward.Label{named("en", "set bricks")}}, // its twin is taken
			{ID: "own/3", Kind: onward.ConceptSkill, Labels: []onward.Label{named("es", "mix mortar")}}, // another language
			{ID: "own/4", Kind: onward.ConceptOccupation, Labels: []onward.Label{named("en", "building codes")}},
			{ID: "isco/7112", Kind: onward.ConceptISCOGroup},
		},
		Relations: []onward.Relation{{From: "isco/7112", To: "isco/7", Kind: onward.RelationBroader}},
	}
	if got, want := reference.LinkExact(starter, release), []onward.Relation{{From: "own/1", To: "skill/s1", Kind: onward.RelationExact}}; !slices.Equal(got, want) {
		t.Errorf("links are %v, want %v", got, want)
	}
	beside := reference.Beside(release, starter)
	if len(beside.Concepts) != len(release.Concepts)-1 || len(beside.Relations) != len(release.Relations)-1 {
		t.Errorf("%d concepts and %d relations remain", len(beside.Concepts), len(beside.Relations))
	}
}

func officialESCO(t testing.TB) (paths, labels []string) {
	t.Helper()
	return []string{testenv.SharedData(t, "esco", "official")}, []string{
		testenv.SharedData(t, "esco", "skill_labels_fr_es.tsv.gz"), testenv.SharedData(t, "esco", "occupation_labels_fr_es_pt_de.tsv.gz"),
		testenv.SharedData(t, "esco", "occupation_labels_ar.tsv.gz"), testenv.SharedData(t, "esco", "isco08_labels_fr_es.tsv.gz"),
	}
}

func TestTheOfficialReleaseIsReadWholeAndLoaded(t *testing.T) {
	t.Parallel()
	paths, labels := officialESCO(t)
	start := time.Now()
	taxonomy, warnings := readESCO(t, paths, labels)
	read := time.Since(start)
	if taxonomy.Release != "esco-1.1.1" {
		t.Errorf("release %q", taxonomy.Release)
	}
	concepts, relations, languages := map[onward.ConceptKind]int{}, map[onward.RelationKind]int{}, map[string]int{}
	for _, c := range taxonomy.Concepts {
		concepts[c.Kind]++
		for _, l := range c.Labels {
			languages[l.Language]++
		}
	}
	for _, r := range taxonomy.Relations {
		relations[r.Kind]++
	}
	if n := concepts[onward.ConceptSkill] + concepts[onward.ConceptKnowledge]; n != 13_896 || concepts[onward.ConceptKnowledge] != 3_059 {
		t.Errorf("%d skills, %d of them knowledge", n, concepts[onward.ConceptKnowledge])
	}
	if concepts[onward.ConceptOccupation] != 3_007 || concepts[onward.ConceptISCOGroup] != 619 || concepts[onward.ConceptSkillGroup] != 640 {
		t.Errorf("concepts are %v", concepts)
	}
	if n := relations[onward.RelationEssential] + relations[onward.RelationOptional]; n != 123_855 {
		t.Errorf("%d relations of occupations to skills", n)
	}
	if relations[onward.RelationBroader] != 20_656+3_617 || relations[onward.RelationRelated] != 5_899 {
		t.Errorf("relations are %v", relations)
	}
	for language, least := range map[string]int{"en": 100_000, "fr": 17_000, "es": 17_000, "ar": 2_900, "pt": 2_900, "de": 2_900} {
		if languages[language] < least {
			t.Errorf("%d labels in %s, want at least %d", languages[language], language, least)
		}
	}
	all := strings.Join(warnings, "\n")
	for _, want := range []string{"5 relations without skillType", "1 occupation(s) named in"} {
		if !strings.Contains(all, want) {
			t.Errorf("no warning of %q in:\n%s", want, all)
		}
	}

	start = time.Now()
	loader, err := store.OpenLoader(t.Context(), testenv.Postgres(t).AdminDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = loader.Close() }()
	own := starter(t)
	links := reference.LinkExact(own, taxonomy)
	beside := reference.Beside(taxonomy, own)
	beside.Relations = append(beside.Relations, links...)
	for _, release := range []onward.Taxonomy{own, beside} {
		if err := loader.LoadTaxonomy(t.Context(), release, nil); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("read in %v, loaded beside the starter in %v, %d skills linked; warnings:\n%s", read, time.Since(start), len(links), all)
}

func BenchmarkReadESCO(b *testing.B) {
	paths, labels := officialESCO(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := reference.ReadESCO(b.Context(), paths, labels, reference.ESCOOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
