package workers

import (
	"encoding/json"
	"strings"
	"testing"

	"onward"
	"onward/internal/testenv"
	"onward/store"
)

// listed is a rig with a person whose list is saved: three openings of one organisation, one of them remote, and a near miss.
func listed(t *testing.T) (r *rig, person onward.Returnee, openings []onward.Opportunity, request onward.ReferralRequest) {
	t.Helper()
	r = newRig(t, testenv.EmbeddedRedis(t), nil)
	r.inTx(onward.System(), func(tx *store.Tx) error {
		return tx.AddReplies(t.Context(), r.employer.OrganisationID, onward.Replies{Due: 10, Answered: 4})
	})
	licensed := bricklaying(guadalajara)
	licensed.Documents = []onward.DocumentKind{onward.DrivingLicence}
	remote := bricklaying(0)
	remote.Remote = true
	openings = []onward.Opportunity{r.post(bricklaying(guadalajara)), r.post(bricklaying(zapopan)), r.post(licensed), r.post(remote)}
	r.fill()
	details := bricklayer()
	details.Documents = []onward.PersonDocument{{Kind: onward.DrivingLicence, Status: onward.DocumentMissing}}
	person = r.register(details)
	request = r.request(person, onward.RequestOptions{Language: "es"})
	if err := r.matchRequest(t.Context(), taskOf(t, r.claim()[0])); err != nil {
		t.Fatal(err)
	}
	list := r.read(request.ID).List
	if len(list.Referrals) != 3 || len(list.NearMisses) != 1 || len(list.Unlocks) == 0 {
		t.Fatalf("%d referrals, %d near misses, %d unlocks", len(list.Referrals), len(list.NearMisses), len(list.Unlocks))
	}
	return r, person, openings, request
}

func (r *rig) replay(id onward.ID) Replay {
	r.t.Helper()
	replay, err := ReplayList(r.t.Context(), r.config.Store, r.config.Catalogue.Current(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	return replay
}

func (r *rig) wantIdentical(id onward.ID, after string) {
	r.t.Helper()
	if replay := r.replay(id); !replay.Identical || len(replay.Obstacles) > 0 {
		r.t.Errorf("after %s the list is another: %v\n%s", after, replay.Obstacles, replay.Difference)
	}
}

func TestASavedListIsMadeAgainWhateverChangedSince(t *testing.T) {
	t.Parallel()
	r, person, openings, request := listed(t)
	r.wantIdentical(request.ID, "nothing")
	details := openings[0].OpportunityDetails
	details.Skills, details.Title = nil, onward.Text{"en": "Clerk"}
	r.inTx(r.employer, func(tx *store.Tx) error {
		_, err := tx.UpdateOpportunity(t.Context(), openings[0].ID, openings[0].Version, details)
		return err
	})
	r.wantIdentical(request.ID, "an edit of the first opening")
	r.inTx(r.employer, func(tx *store.Tx) error {
		_, err := tx.ChangeOpportunity(t.Context(), openings[1].ID, openings[1].Version, onward.EventClose, onward.CloseFilled)
		return err
	})
	r.wantIdentical(request.ID, "the second one closed")
	r.inTx(onward.System(), func(tx *store.Tx) error {
		return tx.AddReplies(t.Context(), r.employer.OrganisationID, onward.Replies{Due: 100})
	})
	r.wantIdentical(request.ID, "more referrals without an answer")
	r.owner(`UPDATE organisations SET name = 'Another name', country = 'GT' WHERE id = $1`, r.employer.OrganisationID)
	r.wantIdentical(request.ID, "a new name and country of the organisation")
	r.change(person, withdrawn())
	r.wantIdentical(request.ID, "the consent was withdrawn")
}

func TestAListThatDoesNotFollowFromWhatItWasMadeOfIsTold(t *testing.T) {
	t.Parallel()
	r, _, openings, request := listed(t)
	r.owner(`UPDATE referral_requests SET options = '{"limit": 1}' WHERE id = $1`, request.ID)
	if replay := r.replay(request.ID); replay.Identical || !strings.Contains(replay.Difference, "rank") {
		t.Errorf("with another limit: %+v", replay.Identical)
	}
	r.owner(`UPDATE referral_requests SET options = $2 WHERE id = $1`, request.ID, `{"language": "es"}`)
	r.wantIdentical(request.ID, "the wish was put back")
	r.owner(`DELETE FROM opportunity_versions WHERE opportunity_id = $1`, openings[0].ID)
	replay := r.replay(request.ID)
	if replay.Identical || len(replay.Obstacles) != 1 || !strings.Contains(replay.Obstacles[0], "1 versions") {
		t.Errorf("without a version: %v, %v", replay.Identical, replay.Obstacles)
	}
}

func TestWhatARequestRestedOnAndIsAnotherOneNowIsNamed(t *testing.T) {
	t.Parallel()
	got := obstacles(onward.ListVersions{Taxonomy: "a", Destination: "b", Matcher: "c", Places: "d"},
		onward.ListVersions{Taxonomy: "x", Destination: "y", Matcher: "z", Places: "w"}, 2)
	if len(got) != 5 || !strings.Contains(got[0], "taxonomy was a and is x") || !strings.Contains(got[3], "matcher was c") {
		t.Errorf("%v", got)
	}
	if same := obstacles(onward.ListVersions{Taxonomy: "a"}, onward.ListVersions{Taxonomy: "a"}, 0); len(same) != 0 {
		t.Errorf("%v", same)
	}
}

func TestOnlyAListCanBeMadeAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, testenv.EmbeddedRedis(t), nil)
	request := r.request(r.register(bricklayer()), onward.RequestOptions{})
	_, err := ReplayList(t.Context(), r.config.Store, r.config.Catalogue.Current(), request.ID)
	if onward.CodeOf(err) != onward.EConflict {
		t.Errorf("a request without a list: %v", err)
	}
	if _, err := ReplayList(t.Context(), r.config.Store, r.config.Catalogue.Current(), onward.NewID()); onward.CodeOf(err) != onward.ENotFound {
		t.Errorf("a request that is not there: %v", err)
	}
}

func TestTheDifferenceOfListsNamesWhatDiffers(t *testing.T) {
	t.Parallel()
	saved := &onward.RankedList{Referrals: []onward.RankedReferral{{Rank: 1, Score: 0.5}}}
	text, err := json.Marshal(saved)
	if err != nil {
		t.Fatal(err)
	}
	again := new(onward.RankedList)
	if err := json.Unmarshal(text, again); err != nil {
		t.Fatal(err)
	}
	if got, err := difference(saved, again); err != nil || got != "" {
		t.Errorf("%q, %v", got, err)
	}
	again.Referrals[0].Score = 0.5000000001
	if got, err := difference(saved, again); err != nil || !strings.Contains(got, "score") || !strings.Contains(got, "0.5000000001") {
		t.Errorf("%q, %v", got, err)
	}
}
