package elastic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"onward"
	"onward/indexer"
	"onward/matcher"
)

// Rank answers a query by one request; see matcher.Query for the formula. Elasticsearch counts in 32-bit floats, so that
// scores are exact to about 1e-6. EUnavailable when the index was wiped: no list is better than an empty one.
func (ix *Index) Rank(ctx context.Context, query matcher.Query) ([]indexer.Hit, error) {
	body := rankQuery(query)
	if body == nil {
		return nil, nil // nothing can score
	}
	hits, err := ix.search(ctx, body, 0, indexer.Limit(query.Limit))
	if err != nil {
		return nil, fmt.Errorf("rank: %w", err)
	}
	return slices.DeleteFunc(hits, func(hit indexer.Hit) bool { return !(hit.Score > 0) }), nil
}

// search sends a query and reads the hits, by score and then by id.
func (ix *Index) search(ctx context.Context, query object, from, size int) ([]indexer.Hit, error) {
	body, err := jsonBody(object{
		"query": query, "from": from, "size": size, "track_total_hits": false,
		"sort": []object{{"_score": "desc"}, {"id": "asc"}},
	})
	if err != nil {
		return nil, err
	}
	var answer struct {
		TimedOut bool `json:"timed_out"`
		Hits     struct {
			Hits []struct {
				Score  float64 `json:"_score"`
				Source struct {
					Opening matcher.Opening `json:"opening"`
				} `json:"_source"`
			} `json:"hits"`
		} `json:"hits"`
	}
	err = ix.do(ctx, esapi.SearchRequest{
		Index: []string{ix.alias}, Body: body, AllowPartialSearchResults: is(false),
		FilterPath: []string{"timed_out", "hits.hits._score", "hits.hits._source"},
	}, &answer)
	if errors.Is(err, errGone) {
		return nil, ix.missing(ctx)
	} else if err != nil {
		return nil, err
	}
	ix.seen.Store(true)
	hits := make([]indexer.Hit, len(answer.Hits.Hits))
	for i := range hits {
		hit := &answer.Hits.Hits[i]
		hits[i] = indexer.Hit{Opening: hit.Source.Opening, Score: hit.Score}
	}
	return hits, nil
}

// rankQuery is fit (a sum of constants, times the opening's scale) times reach (a sum of weights). Nil: nothing can score.
func rankQuery(q matcher.Query) object {
	reach, within := reachFunctions(q.Reach)
	fit := fitClauses(q)
	if len(within) == 0 || len(fit) == 0 {
		return nil
	}
	scale := "scale"
	if q.SkillsUnknown {
		scale = "confidence"
	}
	matching := object{"bool": object{
		"should": fit, "minimum_should_match": 1,
		"filter": append(filters(q.Country, q.Today, q.Kinds), vetted(q)...), "must_not": excluded(q),
	}}
	addFilter(matching, object{"terms": object{"access": within}})
	return object{"function_score": object{
		"query": object{"function_score": object{
			"query": matching, "boost_mode": "multiply",
			"functions": []object{{"field_value_factor": object{"field": scale}}},
		}},
		"boost_mode": "multiply", "score_mode": "sum", "functions": reach,
	}}
}

func addFilter(query, filter object) {
	b, _ := query["bool"].(object)
	all, _ := b["filter"].([]object)
	b["filter"] = append(all, filter)
}

func term(field string, value any) object { return object{"term": object{field: value}} }

func constant(filter object, boost float64) object {
	return object{"constant_score": object{"filter": filter, "boost": boost}}
}

// fitClauses are one constant for each skill, as essential and as optional.
func fitClauses(q matcher.Query) []object {
	var clauses []object
	add := func(filter object, boost float64) {
		if float32(boost) > 0 {
			clauses = append(clauses, constant(filter, boost))
		}
	}
	if q.SkillsUnknown {
		add(object{"match_all": object{}}, q.NeutralFit)
		return clauses
	}
	for _, skill := range q.Skills {
		add(term("essential", skill.SkillID), skill.Essential)
		add(term("optional", skill.SkillID), skill.Optional)
	}
	add(term("neutral", true), q.NeutralFit)
	return clauses
}

// reachFunctions are the weights that add up to the reach, and the access tokens of the openings that have any. Every
// function is tried on every opening that fits, so they are kept few: one for a place where housing changes nothing, one
// for all places where it lifts the reach to the same floor.
func reachFunctions(r matcher.Reach) (functions []object, within []string) {
	assisted := make([]string, 0, len(r.Places))
	floors := make(map[float64][]string)
	weigh := func(weight float64, token string) {
		if float32(weight) > 0 {
			within = append(within, token)
			functions = append(functions, object{"filter": term("access", token), "weight": weight})
		}
	}
	for _, place := range slices.Sorted(maps.Keys(r.Places)) {
		reach := r.Places[place]
		assisted = append(assisted, assistedToken(place))
		if reach.Plain == reach.Assisted {
			weigh(reach.Plain, placeToken(place))
			continue
		}
		weigh(reach.Plain, plainToken(place))
		floors[reach.Assisted] = append(floors[reach.Assisted], assistedToken(place))
	}
	for _, weight := range slices.Sorted(maps.Keys(floors)) {
		if tokens := floors[weight]; float32(weight) > 0 {
			within = append(within, tokens...)
			functions = append(functions, object{"filter": object{"terms": object{"access": tokens}}, "weight": weight})
		}
	}
	weigh(r.InCountry, remoteToken)
	if float32(r.AssistedElsewhere) > 0 {
		within = append(within, anyAssisted)
		functions = append(functions, object{"weight": r.AssistedElsewhere, "filter": object{"bool": object{
			"filter": term("access", anyAssisted), "must_not": object{"terms": object{"access": assisted}},
		}}})
	}
	if float32(r.Abroad) > 0 {
		within = append(within, portableToken)
	}
	// This one is always there: where no function matches, Elasticsearch would multiply by 1.
	return append(functions, object{"field_value_factor": object{"field": "portability"}, "weight": max(0, r.Abroad)}), within
}

// filters hold for ranking and for searching.
func filters(country string, today onward.Date, kinds []onward.Kind) []object {
	all := []object{{"range": object{"open_until": object{"gte": firstDay(today)}}}}
	if country != "" {
		all = append(all, term("country", country))
	}
	if len(kinds) > 0 {
		all = append(all, object{"terms": object{"kind": kinds}})
	}
	return all
}

// firstDay is a day that every date is on or after, when none is set.
func firstDay(day onward.Date) string {
	if day.IsZero() {
		return "0001-01-01"
	}
	return day.String()
}

func vetted(q matcher.Query) []object {
	if !q.VettedOnly {
		return nil
	}
	return []object{{"range": object{"vetted_until": object{"gte": firstDay(q.Today)}}}}
}

func excluded(q matcher.Query) []object {
	var none []object
	if len(q.ExcludedPlaces) > 0 {
		places := make([]string, len(q.ExcludedPlaces))
		for i, place := range q.ExcludedPlaces {
			places[i] = placeKey(place)
		}
		none = append(none, object{"terms": object{"place_id": places}})
	}
	if len(q.ExcludedOrganisations) > 0 {
		none = append(none, object{"terms": object{"organisation_id": q.ExcludedOrganisations}})
	}
	return none
}

func kilometres(km float64) string { return strconv.FormatFloat(km, 'f', -1, 64) + "km" }
