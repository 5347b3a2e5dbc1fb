package matcher

import "onward"

const (
	// defaultLegalAge is the basic minimum age of ILO Convention 138, article 2(3).
	defaultLegalAge = 15
	// hazardousAge is that of article 3(1), and of Convention 182.
	hazardousAge = 18
	// apprenticeAge is that of article 6, for work that is part of training in an enterprise.
	apprenticeAge = 14
)

// legalAge is the lowest age at which a kind of opportunity may be taken in a country: what the country declared under
// Convention 138 (ILO, NORMLEX), and article 6 for training (no minimum: it is school) and apprenticeships. National law
// can ask for more, and declarations change: check the line of a country before Onward is used there. A posting's min_age
// raises it.
func legalAge(country string, kind onward.Kind) int {
	age := defaultLegalAge
	switch country {
	case "AF", "BD", "BO", "DO", "ET", "GM", "GT", "HN", "HT", "IN", "KH", "NI", "NP", "PA", "PE", "PK", "SD", "SV", "TD", "TZ", "UG", "VE", "YE":
		age = 14
	case "AL", "AM", "BI", "BR", "BY", "CN", "DZ", "FR", "GB", "GN", "JO", "KE", "KG", "MD", "PT", "RO", "TJ", "TN", "UA":
		age = 16
	}
	switch kind {
	case onward.Training:
		return 0
	case onward.Apprenticeship:
		return min(age, apprenticeAge)
	case onward.Job, onward.EnterpriseGrant, onward.Cooperative, onward.CashForWork, onward.ProjectPlace:
	}
	return age
}
