package onward

import (
	"fmt"
	"slices"
	"time"
)

// VettingSubject is what is vetted.
type VettingSubject string

// The subjects.
const (
	VetOrganisation VettingSubject = "organisation"
	VetOpportunity  VettingSubject = "opportunity"
)

// CheckCode names one check of fair recruitment and decent work. The checks follow the principles of fair recruitment of the
// ILO and the IRIS standard of the IOM in our own words; they are no certificate of either.
type CheckCode string

// The checks.
const (
	CheckNoFees        CheckCode = "no_worker_fees"
	CheckContract      CheckCode = "written_contract" // in a language that is understood
	CheckMinimumWage   CheckCode = "wage_at_least_minimum"
	CheckDocuments     CheckCode = "documents_not_retained"
	CheckFreeToLeave   CheckCode = "free_to_leave"
	CheckGrievance     CheckCode = "grievance_channel"
	CheckNoForcedWork  CheckCode = "no_child_or_forced_labour"
	CheckRealVacancy   CheckCode = "real_vacancy"
	CheckLicensedAgent CheckCode = "licensed_intermediary"
)

// checksOf is which checks a subject needs: what an organisation does everywhere, and what each of its openings says.
var checksOf = map[VettingSubject][]CheckCode{
	VetOrganisation: {CheckNoFees, CheckDocuments, CheckFreeToLeave, CheckGrievance, CheckNoForcedWork, CheckLicensedAgent},
	VetOpportunity:  {CheckRealVacancy, CheckContract, CheckMinimumWage},
}

// Checks lists the checks that a subject needs.
func (s VettingSubject) Checks() []CheckCode { return slices.Clone(checksOf[s]) }

// CheckResult is what a check found.
type CheckResult string

// The results.
const (
	CheckYes           CheckResult = "yes"
	CheckNo            CheckResult = "no"
	CheckNotApplicable CheckResult = "not_applicable"
	CheckUnknown       CheckResult = "unknown"
)

// Check is one check with its evidence.
type Check struct {
	Code      CheckCode   `json:"code" enum:"no_worker_fees,written_contract,wage_at_least_minimum,documents_not_retained,free_to_leave,grievance_channel,no_child_or_forced_labour,real_vacancy,licensed_intermediary"`
	Result    CheckResult `json:"result" enum:"yes,no,not_applicable,unknown"`
	Evidence  string      `json:"evidence,omitempty" maxLength:"2000" doc:"What was seen, and where it is kept; needed for all but unknown"`
	ExpiresOn Date        `json:"expires_on,omitzero" format:"date" doc:"Last day on which it holds; empty: a year from now"`
	CheckedBy ID          `json:"checked_by,omitzero" doc:"Set by Onward"`
	CheckedAt *time.Time  `json:"checked_at,omitempty" doc:"Set by Onward"`
}

// Vetting is all that is known of whether a subject is fair.
type Vetting struct {
	Subject        VettingSubject `json:"subject" enum:"organisation,opportunity"`
	SubjectID      ID             `json:"subject_id"`
	OrganisationID ID             `json:"organisation_id" doc:"The organisation that is vetted, or that posted the opportunity"`
	Name           string         `json:"name,omitempty" doc:"Of the organisation"`
	Version        int64          `json:"version" doc:"0 while no check was recorded"`
	Status         VettingStatus  `json:"status" enum:"unknown,passed,rejected"`
	ValidUntil     Date           `json:"valid_until,omitzero" format:"date" doc:"When the first check runs out"`
	ReopenedAt     *time.Time     `json:"reopened_at,omitempty" doc:"Checks from before count no longer: an alert was raised"`
	Checks         []Check        `json:"checks" doc:"All that the subject needs"`
	UpdatedAt      *time.Time     `json:"updated_at,omitempty"`
}

const (
	// checkHolds is how long a check holds unless it says otherwise, in days.
	checkHolds = 365
	// checkHoldsAtMost, in days: nothing is fair for ever.
	checkHoldsAtMost = 3 * 365
)

// ValidateChecks checks what someone found of a subject, and fills in when each runs out.
func ValidateChecks(subject VettingSubject, checks []Check, today Date) ([]Check, error) {
	v := newValidator()
	if len(checks) == 0 {
		v.add("checks", "required", "record at least one check")
	}
	v.count("checks", len(checks), len(checksOf[subject]))
	distinct(v, "checks", checks, "code", func(c Check) CheckCode { return c.Code })
	filled := slices.Clone(checks)
	for i, c := range checks {
		field := fmt.Sprintf("checks[%d].", i)
		oneOf(v, field+"code", c.Code, checksOf[subject])
		oneOf(v, field+"result", c.Result, []CheckResult{CheckYes, CheckNo, CheckNotApplicable, CheckUnknown})
		least := 1
		if c.Result == CheckUnknown {
			least = 0
		}
		v.text(field+"evidence", c.Evidence, least, 2000)
		switch {
		case c.ExpiresOn.IsZero():
			filled[i].ExpiresOn = today.AddDays(checkHolds)
		case c.ExpiresOn.Before(today) || today.AddDays(checkHoldsAtMost).Before(c.ExpiresOn):
			v.add(field+"expires_on", "range", "use a day from today to three years from now, or leave it out for a year")
		}
	}
	return filled, v.err()
}

// Judge sums up checks on a day: rejected when one failed, passed when all that the subject needs were made since it was
// reopened and have not run out, else unknown. until is when the first runs out.
func Judge(subject VettingSubject, checks []Check, reopened *time.Time, today Date) (status VettingStatus, until Date) {
	status = VettingPassed
	for _, code := range checksOf[subject] {
		i := slices.IndexFunc(checks, func(c Check) bool { return c.Code == code })
		if i < 0 {
			status = VettingUnknown
			continue
		}
		c := checks[i]
		if c.Result == CheckNo {
			return VettingRejected, Date{}
		}
		stale := reopened != nil && (c.CheckedAt == nil || c.CheckedAt.Before(*reopened))
		if c.Result == CheckUnknown || stale || c.ExpiresOn.Before(today) {
			status = VettingUnknown
		}
		if until.IsZero() || c.ExpiresOn.Before(until) {
			until = c.ExpiresOn
		}
	}
	if status != VettingPassed {
		until = Date{}
	}
	return status, until
}
