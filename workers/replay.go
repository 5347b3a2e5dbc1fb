package workers

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/go-cmp/cmp"

	"onward"
	"onward/indexer/catalogue"
	"onward/matcher"
	"onward/store"
)

// Replay says whether a saved list can be made again from what was kept of it.
type Replay struct {
	RequestID onward.ID `json:"request_id"`
	Identical bool      `json:"identical"`
	// Obstacles say why it can't be made again exactly: something that it rests on is another one now, or gone.
	Obstacles []string `json:"obstacles,omitempty"`
	// Difference shows what differs, the saved list with a minus; empty when nothing does.
	Difference string `json:"difference,omitempty"`
	// List is the list as it comes out now.
	List *onward.RankedList `json:"list,omitempty"`
}

// ReplayList makes a saved list again: from the profile as it was, the versions of the opportunities that were scored,
// and the reference data that is loaded. What was changed since, a consent that was withdrawn among it, changes nothing.
// ENotFound for a request that is not there, EConflict for one without a list.
func ReplayList(ctx context.Context, s *store.Store, reference *catalogue.Catalogue, id onward.ID) (Replay, error) {
	replay := Replay{RequestID: id}
	in, err := s.ReplayInput(ctx, id)
	if err != nil {
		return replay, err
	}
	saved := in.Request.List
	scoring := newScoring(reference, in.Inputs.Profile, in.Request.Options, in.Inputs.Today, in.Inputs.Replies)
	openings := make([]matcher.Opening, len(in.Opportunities))
	for i, o := range in.Opportunities {
		openings[i] = reference.Opening(o)
	}
	replay.List = scoring.list(matcher.Rank(scoring.person, scoring.reach, openings, scoring.options))
	replay.Obstacles = obstacles(saved.Versions, replay.List.Versions, len(in.Missing))
	// What says how the list came about, and not what is on it, is the saved one's.
	replay.List.GeneratedAt, replay.List.AnsweredBy, replay.List.Degraded = saved.GeneratedAt, saved.AnsweredBy, saved.Degraded
	replay.List.Versions.Returnee = saved.Versions.Returnee
	if replay.Difference, err = difference(saved, replay.List); err != nil {
		return replay, err
	}
	replay.Identical = replay.Difference == ""
	return replay, nil
}

func obstacles(saved, now onward.ListVersions, missing int) []string {
	var list []string
	for _, part := range []struct{ name, saved, now, remedy string }{
		{"the taxonomy", saved.Taxonomy, now.Taxonomy, "load that release again"},
		{"the likely-destination coefficients", saved.Destination, now.Destination, "activate that version again"},
		{"the places of the country", saved.Places, now.Places, "load those of then again"},
		{"the matcher", saved.Matcher, now.Matcher, "use the program of then"},
	} {
		if part.saved != part.now {
			list = append(list, fmt.Sprintf("%s was %s and is %s now: %s", part.name, part.saved, part.now, part.remedy))
		}
	}
	if missing > 0 {
		list = append(list, fmt.Sprintf("%d versions of opportunities that were scored are gone", missing))
	}
	return list
}

// difference compares two lists as the JSON that they are saved as, to the last digit.
func difference(saved, again *onward.RankedList) (string, error) {
	var plain [2]any
	for i, list := range []*onward.RankedList{saved, again} {
		text, err := json.Marshal(list)
		if err == nil {
			err = json.Unmarshal(text, &plain[i])
		}
		if err != nil {
			return "", fmt.Errorf("compare lists: %w", err)
		}
	}
	return cmp.Diff(plain[0], plain[1]), nil
}
