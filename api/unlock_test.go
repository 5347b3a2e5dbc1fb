package api_test

import (
	"net/http"
	"strings"
	"testing"

	"onward"
	"onward/store"
)

func TestAListAndItsUnlocksInEveryLanguage(t *testing.T) {
	t.Parallel()
	s := newSystem(t).withWorkers()
	licensed := bricklaying("licensed", guadalajara)
	licensed.Documents = []onward.DocumentKind{onward.DrivingLicence}
	s.open(licensed)
	s.open(bricklaying("plain", guadalajara))
	s.waitIndexed(2)
	person := bricklayer("ana")
	person.Documents = []onward.PersonDocument{{Kind: onward.DrivingLicence, Status: onward.DocumentMissing}}
	returnee := s.register(person)
	path := "/v1/referral-requests/" + s.request(returnee.ID).ID.String()
	saved := decode[onward.ReferralRequest](s.get(s.counsellor, path+"?wait=60s").want(http.StatusOK)).List
	if saved == nil || len(saved.NearMisses) != 1 || len(saved.Unlocks) == 0 {
		t.Fatalf("the licence opens one: %+v", saved)
	}
	for language, want := range map[string]string{"en": "driving licence", "es": "licencia de conducir", "fr": "permis de conduire", "ar": "رخصة القيادة"} {
		list := decode[onward.ReferralRequest](s.get(s.counsellor, path+"?language="+language).want(http.StatusOK)).List
		if list.Language != language || !strings.Contains(list.NearMisses[0].Sentence, want) || !strings.Contains(list.NearMisses[0].Evidence, want) {
			t.Errorf("%s: %+v", language, list.NearMisses[0])
		}
		if len(list.Referrals[0].Explanation.Sentences) == 0 || list.Referrals[0].Score != saved.Referrals[0].Score {
			t.Errorf("%s: the same list in other words: %+v", language, list.Referrals[0])
		}
		own := decode[store.ReturneeUnlocks](s.get(s.counsellor, "/v1/returnees/"+returnee.ID.String()+"/unlocks?language="+language).want(http.StatusOK))
		if len(own.Unlocks) == 0 || own.Unlocks[0].Opens != 1 || !strings.Contains(strings.ToLower(own.Unlocks[0].Sentence), want) {
			t.Errorf("%s: %+v", language, own.Unlocks)
		}
		all := decode[struct {
			Items []onward.CaseloadUnlock `json:"items"`
		}](s.get(s.supervisor, "/v1/unlocks?kind=document&language="+language).want(http.StatusOK))
		if len(all.Items) != 1 || all.Items[0].Returnees != 1 || !strings.Contains(strings.ToLower(all.Items[0].Sentence), want) {
			t.Errorf("%s: %+v", language, all.Items)
		}
	}
	s.get(s.counsellor, path+"?language=de").problem(http.StatusUnprocessableEntity, onward.EInvalid)
	s.get(s.counsellor, "/v1/unlocks?kind=luck").problem(http.StatusUnprocessableEntity, onward.EInvalid)
	s.get(s.stranger, "/v1/returnees/"+returnee.ID.String()+"/unlocks").problem(http.StatusNotFound, onward.ENotFound)
}
