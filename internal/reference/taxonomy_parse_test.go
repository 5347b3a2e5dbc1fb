package reference

import (
	"strings"
	"testing"
	"testing/fstest"
)

// smallStarter is a taxonomy of one of each; changes replace a file.
func smallStarter(change, text string) fstest.MapFS {
	files := map[string]string{
		"isco_a.tsv":        "code\ten\tfr\tes\tar\n7\te\tf\ts\ta\n71\te\tf\ts\ta\n711\te\tf\ts\ta\n7112\te\tf\ts\ta\n",
		"isco_b.tsv":        "code\ten\tfr\tes\tar\n7\tother\tf\ts\ta\n",
		"groups_a.tsv":      "slug\tparent\ten\tfr\tes\tar\nbuilding\t\te\tf\ts\ta\n",
		"skills_a.tsv":      "slug\tgroup\tbroader\tkind\ten\tfr\tes\tar\talt_en\talt_fr\talt_es\talt_ar\nlay-bricks\tbuilding\t\tskill\te\tf\ts\ta\tx|y\t\t\t\n",
		"occupations_a.tsv": "slug\tisco08\tsector\tunseen_unpaid\ten\tfr\tes\tar\talt_en\talt_fr\talt_es\talt_ar\tessential\toptional\nmason\t7112\tconstruction\t0\te\tf\ts\ta\t\t\t\t\tlay-bricks\t\n",
	}
	if change != "" {
		files[change] = text
	}
	system := fstest.MapFS{}
	for name, text := range files {
		if text != "" {
			system[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return system
}

func TestStarterFilesAreReadStrictly(t *testing.T) {
	t.Parallel()
	if taxonomy, err := parseStarter(smallStarter("", "")); err != nil || len(taxonomy.Concepts) != 7 || len(taxonomy.Relations) != 6 {
		t.Fatalf("%d concepts, %d relations, %v", len(taxonomy.Concepts), len(taxonomy.Relations), err)
	}
	skills := "slug\tgroup\tbroader\tkind\ten\tfr\tes\tar\talt_en\talt_fr\talt_es\talt_ar\n"
	skill := "lay-bricks\tbuilding\t\tskill\te\tf\ts\ta\t\t\t\t\n"
	occupations := "slug\tisco08\tsector\tunseen_unpaid\ten\tfr\tes\tar\talt_en\talt_fr\talt_es\talt_ar\tessential\toptional\n"
	for _, test := range []struct{ name, file, text, want string }{
		{"a file is missing", "groups_a.tsv", "", "no groups_*.tsv"},
		{"another header", "skills_a.tsv", "slug\n", "skills_a.tsv:1: the header is not"},
		{"no rows", "skills_a.tsv", skills, "skills_a.tsv: no rows"},
		{"too few columns", "skills_a.tsv", skills + "lay-bricks\tbuilding\n", "skills_a.tsv:2: 2 columns, not 12"},
		{"a slug twice", "skills_b.tsv", skills + skill, "skills_b.tsv:2: onward/skill/lay-bricks stands at skills_a.tsv:2 already"},
		{"no slug", "skills_b.tsv", skills + "Lay Bricks" + strings.TrimPrefix(skill, "lay-bricks"), `skills_b.tsv:2: "Lay Bricks" is no slug`},
		{"a language is missing", "skills_a.tsv", skills + skill + strings.Replace(strings.Replace(skill, "lay", "set", 1), "\tf\t", "\t\t", 1), "skills_a.tsv:3: no name in column fr"},
		{"spaces around", "skills_a.tsv", skills + strings.Replace(skill, "\te\t", "\te \t", 1), "skills_a.tsv:2: column en has spaces"},
		{"Windows lines", "skills_a.tsv", skills + strings.Replace(skill, "\n", "\r\n", 1), "skills_a.tsv:2: column alt_ar"},
		{"not UTF-8", "skills_a.tsv", skills + strings.Replace(skill, "\te\t", "\t\xff\t", 1), "skills_a.tsv:2: not UTF-8"},
		{"unknown kind", "skills_a.tsv", skills + strings.Replace(skill, "\tskill\t", "\ttalent\t", 1), `skills_a.tsv:2: kind "talent"`},
		{"unknown group", "skills_a.tsv", skills + strings.Replace(skill, "building", "sewing", 1), "skills_a.tsv:2: no onward/group/sewing"},
		{"broader than itself", "skills_a.tsv", skills + strings.Replace(skill, "building\t\t", "building\tlay-bricks\t", 1), "skills_a.tsv:2: onward/skill/lay-bricks is broader than itself"},
		{"unknown unit group", "occupations_a.tsv", occupations + "mason\t7119\tx\t0\te\tf\ts\ta\t\t\t\t\tlay-bricks\t\n", "occupations_a.tsv:2: no isco/7119"},
		{"no unit group", "occupations_a.tsv", occupations + "mason\t711\tx\t0\te\tf\ts\ta\t\t\t\t\tlay-bricks\t\n", `occupations_a.tsv:2: "711" is no ISCO-08 unit group`},
		{"unknown skill", "occupations_a.tsv", occupations + "mason\t7112\tx\t0\te\tf\ts\ta\t\t\t\t\tlay-bricks\tsing\n", "occupations_a.tsv:2: no onward/skill/sing"},
		{"no essential skill", "occupations_a.tsv", occupations + "mason\t7112\tx\t0\te\tf\ts\ta\t\t\t\t\t\tlay-bricks\n", "occupations_a.tsv:2: no essential skill"},
		{"essential and optional", "occupations_a.tsv", occupations + "mason\t7112\tx\t0\te\tf\ts\ta\t\t\t\t\tlay-bricks\tlay-bricks\n", "essential and optional"},
		{"an item twice", "occupations_a.tsv", occupations + "mason\t7112\tx\t0\te\tf\ts\ta\t\t\t\t\tlay-bricks|lay-bricks\t\n", "occupations_a.tsv:2: column essential has an empty, repeated"},
		{"neither paid nor unpaid", "occupations_a.tsv", occupations + "mason\t7112\tx\tyes\te\tf\ts\ta\t\t\t\t\tlay-bricks\t\n", "unseen_unpaid is neither"},
		{"a code without its parent", "isco_a.tsv", "code\ten\tfr\tes\tar\n7112\te\tf\ts\ta\n", "isco_a.tsv:2: no isco/711"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := parseStarter(smallStarter(test.file, test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
