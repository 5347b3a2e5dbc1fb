// Package fitting learns from what happened: where people were seen to live.
package fitting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"onward"
	"onward/indexer/catalogue"
	"onward/matcher/destination"
	"onward/store"
)

const (
	// LeastPeople is how many people a country's coefficients are fitted on at least, unless asked otherwise. With 17
	// coefficients that is about twelve people each, the rule of thumb for logistic models.
	LeastPeople = 200
	// fewestPeople is the least that may be asked for.
	fewestPeople = 50
	// Priors is the name of the coefficients that come with the program, for Activate.
	Priors = "priors"
)

// Deps is what fitting works with. OwnerURL is the login that owns the schema: coefficients are reference data.
type Deps struct {
	Store     *store.Store
	OwnerURL  string
	Catalogue *catalogue.Catalogue
}

// Options of a fit.
type Options struct {
	Country     string
	LeastPeople int  // 0: LeastPeople
	DryRun      bool // keep nothing
}

// Result says what was fitted and what became of it.
type Result struct {
	Country   string `json:"country"`
	Name      string `json:"version"`
	Activated bool   `json:"activated"`
	DryRun    bool   `json:"dry_run,omitempty"`
	destination.Version
}

// Destination fits the likely-destination coefficients of a country on residences that were observed after a list was made,
// holds them against those in use, keeps them, and puts them to use when they predict people whom they were not fitted on
// better by more than chance. EInvalid for a country without places and for too few observations: then nothing changes.
func Destination(ctx context.Context, deps Deps, options Options) (Result, error) {
	result := Result{Country: options.Country, DryRun: options.DryRun}
	least := options.LeastPeople
	if least == 0 {
		least = LeastPeople
	}
	if least < fewestPeople {
		return result, onward.Errorf(onward.EInvalid, "coefficients are never fitted on fewer than %d people; ask for that many observations at least", fewestPeople)
	}
	country := deps.Catalogue.Country(options.Country)
	if country.Gazetteer.Len() == 0 {
		return result, onward.Errorf(onward.EInvalid, "no places are loaded for the country %q; use a code such as MX", options.Country)
	}
	observed, err := deps.Store.ResidenceObservations(ctx, options.Country)
	if err != nil {
		return result, err
	}
	current := country.Model.Coefficients()
	if len(observed) < least {
		return result, onward.Errorf(onward.EInvalid, "%d people of %s were seen to live somewhere after a list of theirs was made, and %d are needed: the coefficients %s stay in use",
			len(observed), options.Country, least, current.Version)
	}
	people := make([]destination.PersonObservation, len(observed))
	all := make([]destination.Observation, len(observed))
	for i, o := range observed {
		all[i] = destination.Observation{Person: destination.NewPerson(o.Inputs.Profile), Day: o.Inputs.Today, Place: o.Residence.PlaceID}
		people[i] = destination.PersonObservation{Person: o.ReturneeID, Observation: all[i]}
	}
	prior := destination.ForCountry(options.Country)
	comparison, err := destination.Compare(country.Gazetteer, people, current, prior)
	if err != nil {
		return result, err
	}
	result.Name = options.Country + "-" + time.Now().UTC().Format("2006-01-02T150405")
	fit, err := destination.FitCoefficients(country.Gazetteer, all, prior, result.Name)
	if err != nil {
		return result, err
	}
	result.Version = destination.NewVersion(fit, current.Version, comparison)
	if options.DryRun {
		return result, nil
	}
	result.Activated = comparison.Better()
	return result, keep(ctx, deps, result)
}

func keep(ctx context.Context, deps Deps, result Result) error {
	body, err := json.Marshal(result.Version)
	if err != nil {
		return fmt.Errorf("keep coefficients: %w", err)
	}
	return load(ctx, deps, func(l *store.Loader) error {
		return l.LoadDestinationVersion(ctx, store.DestinationVersion{Country: result.Country, Version: result.Name, Body: body, Active: result.Activated})
	})
}

// Activate puts a version that is kept to use, or Priors. ENotFound for one that is not there.
func Activate(ctx context.Context, deps Deps, country, version string) error {
	if version == Priors {
		version = ""
	}
	return load(ctx, deps, func(l *store.Loader) error { return l.ActivateDestinationVersion(ctx, country, version) })
}

func load(ctx context.Context, deps Deps, do func(*store.Loader) error) (err error) {
	loader, err := store.OpenLoader(ctx, deps.OwnerURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, loader.Close()) }()
	return do(loader)
}
