package api_test

import (
	"strings"
	"testing"
)

func TestOrganisationsAndColleaguesAreNamedAndNoMore(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	all := s.get(s.counsellor, "/v1/organisations").want(200).body
	if !strings.Contains(all, s.otherEmployer.ID.String()) || !strings.Contains(all, `"name":"employer"`) {
		t.Errorf("%s", all)
	}
	if some := s.get(s.counsellor, "/v1/organisations?kind=agency").want(200).body; strings.Contains(some, s.employer.ID.String()) || !strings.Contains(some, s.other.ID.String()) {
		t.Errorf("agencies: %s", some)
	}
	colleagues := s.get(s.counsellor, "/v1/users").want(200).body
	if strings.Count(colleagues, `"role"`) != 5 || strings.Contains(colleagues, "@") {
		t.Errorf("colleagues: %s", colleagues)
	}
}
