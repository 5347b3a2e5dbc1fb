package engine

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"onward"
	"onward/internal/testenv"
	"onward/store"
)

// TestNoServerAndNoLogHoldsWhoAPersonIs goes from the registration to an answer and searches everything that holds anything afterwards:
// Postgres, Redis, Elasticsearch, and all logs at their most talkative.
func TestNoServerAndNoLogHoldsWhoAPersonIs(t *testing.T) {
	t.Parallel()
	url, search := testenv.Redis(t), testenv.Elasticsearch(t)
	log := &logbook{}
	prefix := testenv.IndexPrefix(t)
	s := newSystem(t, func(c *Config) {
		c.RedisURL, c.ElasticsearchURL, c.IndexPrefix = url, search, prefix
		c.Logger = log.logger(slog.LevelDebug)
	})
	person := bricklayer("leak")
	person.Identity = onward.Identity{
		GivenName: "Xochiquetzal", FamilyName: "Zapotécatl", Phone: "+525598761234", Email: "xochi@example.net", Notes: "fears Hermenegildo",
		AlternateContact: &onward.AlternateContact{Name: "Eustolia", Phone: "+525511112222", Relation: "sister"},
	}
	person.BirthDate = onward.NewDate(1991, time.May, 17)
	for _, p := range []onward.ConsentPurpose{onward.ConsentSharing, onward.ConsentFollowUp} {
		person.Consents = append(person.Consents, onward.Consent{Purpose: p, GivenOn: person.Consents[0].GivenOn})
	}
	o := s.post(t, bricklaying("leak", guadalajara))
	var r onward.Returnee
	s.call(t, s.counsellor, http.MethodPost, "/v1/returnees", person, http.StatusCreated, &r)
	s.call(t, s.counsellor, http.MethodGet, "/v1/returnees?name=zapotecatl&contact=xochi%40example.net", nil, http.StatusOK, nil)
	var request onward.ReferralRequest
	s.call(t, s.counsellor, http.MethodPost, "/v1/returnees/"+r.ID.String()+"/referral-requests", map[string]any{}, http.StatusAccepted, &request)
	s.call(t, s.counsellor, http.MethodGet, "/v1/referral-requests/"+request.ID.String()+"?wait=20s", nil, http.StatusOK, &request)
	if request.Status != onward.RequestReady || len(request.List.Referrals) == 0 {
		t.Fatalf("%+v", request)
	}
	var referral onward.Referral
	s.call(t, s.counsellor, http.MethodPost, "/v1/referrals?send=true", map[string]any{"returnee_id": r.ID, "opportunity_id": o.ID, "request_id": request.ID}, http.StatusCreated, &referral)
	var link onward.AnswerLink
	s.call(t, s.counsellor, http.MethodPost, "/v1/referrals/"+referral.ID.String()+"/answer-links", map[string]any{}, http.StatusCreated, &link)
	s.call(t, s.poster, http.MethodPost, "/v1/answers/"+link.Token, map[string]any{"answer": "yes"}, http.StatusOK, nil)
	var shared onward.SharedIdentity
	s.call(t, s.poster, http.MethodGet, "/v1/received-referrals/"+referral.ID.String()+"/person", nil, http.StatusOK, &shared)
	if shared.GivenName != "Xochiquetzal" {
		t.Fatalf("%+v", shared)
	}
	s.call(t, s.counsellor, http.MethodGet, "/v1/returnees/"+onward.NewID().String(), nil, http.StatusNotFound, nil)

	held := map[string]string{"Postgres": testenv.Dump(t, s.config.OwnerURL), "Redis": redisText(t, url), "Elasticsearch": searchText(t, search, prefix), "the logs": log.String()}
	for where, text := range held {
		if len(text) < 200 {
			t.Errorf("%s holds next to nothing: %q", where, text)
		}
		for _, value := range []string{"Xochiquetzal", "xochiquetzal", "xochi@", "Zapotécatl", "zapotecatl", "98761234", "Hermenegildo", "Eustolia", "5511112222", "1991-05-17"} {
			if at := strings.Index(text, value); at >= 0 {
				t.Errorf("%s: %q in …%s…", where, value, text[max(0, at-60):min(len(text), at+60)])
			}
		}
	}
	if err := s.Store.InTx(t.Context(), onward.System(), func(tx *store.Tx) error {
		list, err := tx.Audit(t.Context(), r.ID, 100)
		if err == nil && len(list) < 6 {
			err = fmt.Errorf("%d entries of the audit", len(list))
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// redisText is every key with what it holds.
func redisText(t *testing.T, url string) string {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	ctx := context.WithoutCancel(t.Context())
	keys, err := client.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, key := range keys {
		all.WriteString(key + "\n")
		switch kind := client.Type(ctx, key).Val(); kind {
		case "hash":
			fmt.Fprintln(&all, client.HGetAll(ctx, key).Val())
		case "list":
			fmt.Fprintln(&all, client.LRange(ctx, key, 0, -1).Val())
		case "zset":
			fmt.Fprintln(&all, client.ZRange(ctx, key, 0, -1).Val())
		case "set":
			fmt.Fprintln(&all, client.SMembers(ctx, key).Val())
		default:
			fmt.Fprintln(&all, client.Get(ctx, key).Val())
		}
	}
	return all.String()
}

// searchText is every document of the test's indices.
func searchText(t *testing.T, url, prefix string) string {
	t.Helper()
	search(t, http.MethodPost, url+"/"+prefix+"*/_refresh", "")
	return search(t, http.MethodGet, url+"/"+prefix+"*/_search?size=1000", "")
}
