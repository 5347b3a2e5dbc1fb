package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"onward"
)

// BenchmarkReadyList reads a finished list of 20 over HTTP, and for comparison only the decoding and encoding of it,
// which passing the stored text through would save.
func BenchmarkReadyList(b *testing.B) {
	s := newSystem(b).withWorkers()
	for i := range 60 {
		s.open(bricklaying(fmt.Sprintf("o%d", i), guadalajara))
	}
	s.waitIndexed(60)
	path := "/v1/referral-requests/" + s.request(s.register(bricklayer("ana")).ID).ID.String()
	ready := s.get(s.counsellor, path+"?wait=60s").want(http.StatusOK)
	if decode[onward.ReferralRequest](ready).List == nil {
		b.Fatal("not ready")
	}
	b.Run(fmt.Sprintf("http/bytes=%d", len(ready.body)), func(b *testing.B) {
		for range b.N {
			s.get(s.counsellor, path).want(http.StatusOK)
		}
	})
	b.Run("decode-and-encode", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			var request onward.ReferralRequest
			if err := json.Unmarshal([]byte(ready.body), &request); err != nil {
				b.Fatal(err)
			}
			if _, err := json.Marshal(request); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func jsonLine(tb testing.TB, value any) string {
	tb.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		tb.Fatal(err)
	}
	return string(raw) + "\n"
}
