package destination

import "math"

// Version is a version of a country's coefficients as it is kept.
type Version struct {
	Values map[string]float64 `json:"values"`
	// Errors are the standard errors; a coefficient without one could not be told.
	Errors  map[string]float64 `json:"errors,omitempty"`
	People  int                `json:"people"`
	Dropped int                `json:"dropped,omitempty"` // observed where no place is near
	// Against is the version that was in use, and Comparison how the two do on people whom neither was fitted on.
	Against    string     `json:"against,omitempty"`
	Comparison Comparison `json:"comparison"`
}

// NewVersion takes what is kept of a fit.
func NewVersion(fit Fit, against string, comparison Comparison) Version {
	v := Version{
		Values: fit.Coefficients.Named(), Errors: map[string]float64{}, People: fit.Used, Dropped: fit.Dropped, Against: against, Comparison: comparison,
	}
	for i, row := range priors {
		if e := fit.Error[i]; !math.IsNaN(e) {
			v.Errors[row.Name] = e
		}
	}
	return v
}
