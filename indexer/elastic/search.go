package elastic

import (
	"context"
	"fmt"

	"onward/indexer"
)

// Search answers a person's search: all words, any of the skills, within the circle; the scores are those of package
// indexer.
func (ix *Index) Search(ctx context.Context, query indexer.SearchQuery) ([]indexer.Hit, error) {
	offset, limit, err := query.Page()
	if err != nil {
		return nil, err
	}
	if query.Near != nil && query.Near.RadiusKm <= 0 {
		return nil, nil
	}
	hits, err := ix.search(ctx, searchQuery(query), offset, limit)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return hits, nil
}

func searchQuery(q indexer.SearchQuery) object {
	filter := filters(q.Country, q.Today, q.Kinds)
	if !q.OrganisationID.IsZero() {
		filter = append(filter, term("organisation_id", q.OrganisationID))
	}
	var must []object
	whole, prefix := q.Terms()
	for _, word := range whole {
		must = append(must, wordQuery("term", word))
	}
	if prefix != "" {
		must = append(must, wordQuery("prefix", prefix))
	}
	if len(q.Skills) > 0 {
		skills := make([]object, len(q.Skills))
		for i, skill := range q.Skills {
			either := object{"bool": object{"should": []object{term("essential", skill), term("optional", skill)}}}
			skills[i] = constant(either, indexer.SkillScore)
		}
		must = append(must, object{"bool": object{"should": skills, "minimum_should_match": 1}})
	}
	if q.Near == nil {
		return object{"bool": object{"must": must, "filter": filter}}
	}
	centre := point{Lat: q.Near.Lat, Lon: q.Near.Lon}
	filter = append(filter, object{"geo_distance": object{"distance": kilometres(q.Near.RadiusKm), "location": centre}})
	return object{"function_score": object{
		"query":      object{"bool": object{"must": must, "filter": filter}},
		"boost_mode": "sum",
		// Half of it at half the radius: a straight line to 0 at the rim.
		"functions": []object{{"linear": object{"location": object{
			"origin": centre, "scale": kilometres(q.Near.RadiusKm / 2), "decay": 0.5,
		}}}},
	}}
}

// wordQuery is the better of the scores for the title and for the text.
func wordQuery(kind, word string) object {
	return object{"dis_max": object{"queries": []object{
		constant(object{kind: object{"title_words": word}}, indexer.TitleScore),
		constant(object{kind: object{"words": word}}, indexer.TextScore),
	}}}
}
