package destination

// FittedCoefficients are those of a country whose own flows have been fitted, else false: coefficients transfer badly between
// countries (CPC fell from .50 to .35 when Mexico's were tried on the United States), so that another country's are no
// better than the pooled priors.
//
// Mexico's are gravity between municipalities, 2015-20 (INEGI), all 852 origins of 14 states, by
//
//	onward evaluate destination --places P --train F --test F --json      P, F: places and flows of mx_municipalities
//
// which gives ln(population) 0.997 (standard error .002) and ln(distance) -1.087 (.002). Flows have an origin alone, so the
// distance is shared out between the community of origin and the present place as the priors do.
func FittedCoefficients(country string) (Coefficients, bool) {
	if country != "MX" {
		return Coefficients{}, false
	}
	const population, distance = 0.997, -1.087
	c := Priors()
	share := c.Value[DistanceOrigin] / (c.Value[DistanceOrigin] + c.Value[DistanceCurrent])
	c.Version, c.Country = "mx-municipalities-2015-20", country
	c.Value[Population] = population
	c.Value[DistanceOrigin], c.Value[DistanceCurrent] = distance*share, distance*(1-share)
	return c, true
}

// ForCountry are the coefficients that come with the program: a country's own where its flows have been fitted, else the
// documented priors.
func ForCountry(country string) Coefficients {
	if fitted, ok := FittedCoefficients(country); ok {
		return fitted
	}
	return Priors()
}

// FittedCountries are those for which FittedCoefficients has some.
func FittedCountries() []string { return []string{"MX"} }
