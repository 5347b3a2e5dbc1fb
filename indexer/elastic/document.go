package elastic

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"

	"onward"
	"onward/indexer"
	"onward/matcher"
)

const (
	// refreshInterval is how long a write may stay invisible. Set by hand, it also keeps an index that nobody searches
	// from falling asleep.
	refreshInterval = "200ms"
	// tombstonesKept is how long a deletion is remembered, so that a late put of an older version stays out. The default
	// of 60 s is shorter than a task is retried.
	tombstonesKept = "1h"
	// never stands for "no closing date", so that one range covers both cases.
	never = "9999-12-31"
)

// document is an opening as it is indexed. Only Opening comes back; the rest is there to be matched and counted.
type document struct {
	ID             onward.ID `json:"id"`
	Version        int64     `json:"version"`
	Country        string    `json:"country"`
	Kind           string    `json:"kind"`
	OrganisationID onward.ID `json:"organisation_id"`
	PlaceID        string    `json:"place_id"`
	OpenUntil      string    `json:"open_until"`
	VettedUntil    string    `json:"vetted_until,omitempty"` // absent: not vetted
	Essential      []string  `json:"essential,omitempty"`
	Optional       []string  `json:"optional,omitempty"`
	Neutral        bool      `json:"neutral"`
	Scale          float64   `json:"scale"`
	Confidence     float64   `json:"confidence"`
	Portability    float64   `json:"portability"`
	// Access says how the opening can be reached, in the tokens below.
	Access     []string         `json:"access"`
	Location   *point           `json:"location,omitempty"`
	TitleWords []string         `json:"title_words,omitempty"`
	Words      []string         `json:"words,omitempty"`
	Opening    *matcher.Opening `json:"opening"`
}

type point struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// Tokens of access. An opening has remoteToken, or placeToken with either plainToken or assistedToken and anyAssisted;
// and portableToken when it is worth something abroad.
const (
	remoteToken   = "remote"
	anyAssisted   = "assisted"
	portableToken = "portable"
)

func placeToken(place onward.PlaceID) string { return "in:" + strconv.FormatInt(int64(place), 10) }

func plainToken(place onward.PlaceID) string { return "at:" + strconv.FormatInt(int64(place), 10) }

func assistedToken(place onward.PlaceID) string {
	return "assisted:" + strconv.FormatInt(int64(place), 10)
}

func placeKey(place onward.PlaceID) string { return strconv.FormatInt(int64(place), 10) }

func documentOf(e *indexer.Entry) document {
	o := &e.Opening
	d := document{
		ID: o.ID, Version: o.Version, Country: o.Country, Kind: string(o.Kind), OrganisationID: o.OrganisationID,
		PlaceID: placeKey(o.PlaceID), OpenUntil: dayOrNever(o.ClosesOn), Neutral: o.SkillBasis == onward.SkillsNone,
		Scale: o.Scale, Confidence: o.SkillConfidence, Portability: o.Portability, Opening: o,
	}
	if o.Vetting == onward.VettingPassed {
		d.VettedUntil = dayOrNever(o.VettedUntil)
	}
	if !d.Neutral {
		for _, skill := range o.Skills {
			if skill.Essential {
				d.Essential = append(d.Essential, skill.SkillID)
			} else {
				d.Optional = append(d.Optional, skill.SkillID)
			}
		}
	}
	switch {
	case o.Remote:
		d.Access = append(d.Access, remoteToken)
	case o.Assisted:
		d.Access = append(d.Access, placeToken(o.PlaceID), assistedToken(o.PlaceID), anyAssisted)
	default:
		d.Access = append(d.Access, placeToken(o.PlaceID), plainToken(o.PlaceID))
	}
	if o.Portability > 0 {
		d.Access = append(d.Access, portableToken)
	}
	if o.PlaceID != 0 {
		d.Location = &point{Lat: o.Lat, Lon: o.Lon}
	}
	d.TitleWords, d.Words = distinctWords(e.SearchTitle), distinctWords(e.SearchText)
	return d
}

func dayOrNever(day onward.Date) string {
	if day.IsZero() {
		return never
	}
	return day.String()
}

func distinctWords(text string) []string {
	var words []string
	seen := make(map[string]struct{})
	for word := range indexer.Words(text) {
		if _, ok := seen[word]; !ok {
			seen[word] = struct{}{}
			words = append(words, word)
		}
	}
	return words
}

// mapping is strict: a field that is not named here is an error. The source keeps the opening alone.
func mapping() object {
	matched := object{"type": "keyword", "doc_values": false}
	factor := object{"type": "double", "index": false}
	fields := object{
		"id":              object{"type": "keyword", "index": false}, // breaks ties
		"version":         object{"type": "long", "index": false},
		"country":         matched,
		"kind":            matched,
		"organisation_id": matched,
		"place_id":        matched,
		"open_until":      object{"type": "date", "format": "yyyy-MM-dd"},
		"vetted_until":    object{"type": "date", "format": "yyyy-MM-dd"},
		"essential":       matched,
		"optional":        matched,
		"neutral":         object{"type": "boolean", "doc_values": false},
		"scale":           factor,
		"confidence":      factor,
		"portability":     factor,
		"access":          matched,
		"location":        object{"type": "geo_point"},
		"title_words":     matched,
		"words":           matched,
		"opening":         object{"type": "object", "enabled": false},
	}
	m := object{"dynamic": "strict", "_source": object{"includes": []string{"opening"}}, "properties": fields}
	m["_meta"] = object{"fingerprint": fingerprint(m)}
	return m
}

// fingerprint tells mappings of different releases apart.
func fingerprint(mapping object) string {
	text, _ := json.Marshal(mapping) //nolint:errchkjson // strings and booleans; maps are written in order
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

func settings() object {
	return object{
		"number_of_shards": 1, "auto_expand_replicas": "0-1",
		"refresh_interval": refreshInterval, "gc_deletes": tombstonesKept,
	}
}

// buildSettings are for an index that is being filled and that nobody searches.
func buildSettings() object {
	s := settings()
	delete(s, "auto_expand_replicas")
	s["number_of_replicas"], s["refresh_interval"] = 0, "-1"
	return s
}
