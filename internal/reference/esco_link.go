package reference

import (
	"strings"

	"onward"
)

// LinkExact finds the skills that two releases have in common: the English name of the starter's equals the English name
// of the other's, or one other label that stands nowhere else there. Each skill is linked at most once. Put the
// relations, which go from starter to other, into the release that is loaded later.
func LinkExact(starter, other onward.Taxonomy) []onward.Relation {
	const ambiguous = ""
	names, labels := map[string]string{}, map[string]string{}
	for _, c := range other.Concepts {
		if !c.Kind.IsSkill() {
			continue
		}
		for _, l := range c.Labels {
			if l.Language != "en" {
				continue
			}
			text, into := plain(l.Text), labels
			if l.Preferred {
				into = names
			}
			if id, taken := into[text]; taken && id != c.ID {
				into[text] = ambiguous
			} else {
				into[text] = c.ID
			}
		}
	}
	var relations []onward.Relation
	linked := map[string]bool{}
	link := func(index map[string]string, done map[string]bool) {
		for _, c := range starter.Concepts {
			if !c.Kind.IsSkill() || done[c.ID] {
				continue
			}
			for _, l := range c.Labels {
				if l.Language != "en" || !l.Preferred {
					continue
				}
				if id := index[plain(l.Text)]; id != ambiguous && !linked[id] {
					linked[id], done[c.ID] = true, true
					relations = append(relations, onward.Relation{From: c.ID, To: id, Kind: onward.RelationExact})
				}
			}
		}
	}
	done := map[string]bool{}
	link(names, done)
	link(labels, done)
	return relations
}

// plain is a label as it is compared: without case and doubled spaces.
func plain(text string) string { return strings.Join(strings.Fields(strings.ToLower(text)), " ") }

// Beside takes out of a release the concepts and relations that another one has already, so that both can be loaded: ISCO
// groups have the same ids in all of them. Relations to the concepts that go stay.
func Beside(release, loaded onward.Taxonomy) onward.Taxonomy {
	concepts := make(map[string]bool, len(loaded.Concepts))
	for _, c := range loaded.Concepts {
		concepts[c.ID] = true
	}
	relations := make(map[onward.Relation]bool, len(loaded.Relations))
	for _, r := range loaded.Relations {
		relations[r] = true
	}
	beside := release
	beside.Concepts = make([]onward.Concept, 0, len(release.Concepts))
	for _, c := range release.Concepts {
		if !concepts[c.ID] {
			beside.Concepts = append(beside.Concepts, c)
		}
	}
	beside.Relations = make([]onward.Relation, 0, len(release.Relations))
	for _, r := range release.Relations {
		if !relations[r] {
			beside.Relations = append(beside.Relations, r)
		}
	}
	return beside
}
