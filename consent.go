package onward

import (
	"fmt"
	"slices"
	"time"
)

// ConsentPurpose says what a consent is for.
type ConsentPurpose string

// The purposes.
const (
	ConsentMatching ConsentPurpose = "matching"  // to be scored against opportunities
	ConsentSharing  ConsentPurpose = "sharing"   // to be shown to organisations
	ConsentFollowUp ConsentPurpose = "follow_up" // to be asked how it goes
	ConsentResearch ConsentPurpose = "research"  // to be part of studies beyond the programme
)

// ConsentPurposes lists the purposes.
func ConsentPurposes() []ConsentPurpose {
	return []ConsentPurpose{ConsentMatching, ConsentSharing, ConsentFollowUp, ConsentResearch}
}

// ConsentForm is how a consent was given.
type ConsentForm string

// The forms.
const (
	ConsentWritten        ConsentForm = "written"
	ConsentOral           ConsentForm = "oral"
	ConsentDigital        ConsentForm = "digital"
	ConsentRepresentative ConsentForm = "representative" // a guardian or interpreter gave it
)

// ConsentForms lists the forms.
func ConsentForms() []ConsentForm {
	return []ConsentForm{ConsentWritten, ConsentOral, ConsentDigital, ConsentRepresentative}
}

// SharedFields are what a recipient can be shown of an identity.
func SharedFields() []string { return []string{"given_name", "family_name", "phone"} }

// Consent is a person's yes to one purpose. Who recorded it and when is kept by Onward.
type Consent struct {
	Purpose        ConsentPurpose     `json:"purpose" enum:"matching,sharing,follow_up,research"`
	GivenOn        Date               `json:"given_on" format:"date"`
	ExpiresOn      Date               `json:"expires_on,omitzero" format:"date"`
	WithdrawnOn    Date               `json:"withdrawn_on,omitzero" format:"date"`
	Language       string             `json:"language,omitempty" doc:"In which it was explained"`
	Form           ConsentForm        `json:"form,omitempty" enum:"written,oral,digital,representative" doc:"How it was given"`
	Recipients     []ID               `json:"recipients,omitempty" doc:"Of sharing: with these organisations; with recipient_kinds empty as well: with any"`
	RecipientKinds []OrganisationKind `json:"recipient_kinds,omitempty" doc:"Of sharing: with organisations of these kinds"`
	Fields         []string           `json:"fields,omitempty" doc:"Of sharing: what is shown after a yes, of given_name, family_name and phone; empty: all of them"`
}

// Active says whether the consent holds on a day.
func (c Consent) Active(today Date) bool {
	return c.WithdrawnOn.IsZero() && !c.GivenOn.IsZero() && !c.GivenOn.After(today) && (c.ExpiresOn.IsZero() || !c.ExpiresOn.Before(today))
}

// covers says whether the consent is for a recipient.
func (c Consent) covers(recipient ID, kind OrganisationKind) bool {
	return len(c.Recipients)+len(c.RecipientKinds) == 0 || slices.Contains(c.Recipients, recipient) || slices.Contains(c.RecipientKinds, kind)
}

// same says whether two are the same consent, whatever became of it since.
func (c Consent) same(other Consent) bool {
	return c.Purpose == other.Purpose && c.GivenOn == other.GivenOn && slices.Equal(c.Recipients, other.Recipients) && slices.Equal(c.RecipientKinds, other.RecipientKinds)
}

// HasConsent says whether an active consent for a purpose is on record.
func (r ReturneeDetails) HasConsent(purpose ConsentPurpose, today Date) bool {
	return slices.ContainsFunc(r.Consents, func(c Consent) bool { return c.Purpose == purpose && c.Active(today) })
}

// SharesWith says whether the person agrees to be shown to an organisation.
func (r ReturneeDetails) SharesWith(recipient ID, kind OrganisationKind, today Date) bool {
	return slices.ContainsFunc(r.Consents, func(c Consent) bool {
		return c.Purpose == ConsentSharing && c.Active(today) && c.covers(recipient, kind)
	})
}

// Withdraw ends all consents for the purposes, as of a day.
func (r *ReturneeDetails) Withdraw(purposes []ConsentPurpose, day Date) {
	r.Consents = slices.Clone(r.Consents)
	for i := range r.Consents {
		if c := &r.Consents[i]; slices.Contains(purposes, c.Purpose) && c.WithdrawnOn.IsZero() {
			c.WithdrawnOn = day
		}
	}
}

// ConsentRecord is something that was said of a consent, as it was said then.
type ConsentRecord struct {
	ID         ID        `json:"id"`
	What       string    `json:"what" enum:"given,withdrawn,changed,expired"`
	Consent    Consent   `json:"consent"`
	RecordedBy ID        `json:"recorded_by,omitzero"`
	At         time.Time `json:"at"`
}

// ConsentChanges are the records that lead from what was on file to what is. A consent that is left out was withdrawn.
func ConsentChanges(before, after []Consent, today Date) (records []ConsentRecord) {
	for _, c := range after {
		at := slices.IndexFunc(before, c.same)
		switch {
		case at < 0:
			records = append(records, ConsentRecord{What: "given", Consent: c})
		case before[at].WithdrawnOn.IsZero() && !c.WithdrawnOn.IsZero():
			records = append(records, ConsentRecord{What: "withdrawn", Consent: c})
		case before[at].ExpiresOn != c.ExpiresOn || before[at].WithdrawnOn != c.WithdrawnOn || before[at].Language != c.Language || before[at].Form != c.Form || !slices.Equal(before[at].Fields, c.Fields):
			records = append(records, ConsentRecord{What: "changed", Consent: c})
		}
	}
	for _, c := range before {
		if c.WithdrawnOn.IsZero() && !slices.ContainsFunc(after, c.same) {
			c.WithdrawnOn = today
			records = append(records, ConsentRecord{What: "withdrawn", Consent: c})
		}
	}
	return records
}

// WithdrawConsent asks to end consents.
type WithdrawConsent struct {
	Purposes []ConsentPurpose `json:"purposes" minItems:"1" doc:"What the person does not agree to any more"`
}

// Validate checks it.
func (w WithdrawConsent) Validate() error {
	v := newValidator()
	if len(w.Purposes) == 0 {
		v.add("purposes", "required", "say what the person does not agree to any more: matching, sharing, follow_up or research")
	}
	v.count("purposes", len(w.Purposes), len(ConsentPurposes()))
	for _, p := range w.Purposes {
		oneOf(v, "purposes", p, ConsentPurposes())
	}
	return v.err()
}

// Withdrawal certifies what the end of a consent did: all of it in the transaction that recorded the end.
type Withdrawal struct {
	ID         ID                `json:"id"`
	ReturneeID ID                `json:"returnee_id"`
	Purposes   []ConsentPurpose  `json:"purposes"`
	Cause      string            `json:"cause" enum:"withdrawn,expired,erased,retention"`
	RecordedBy ID                `json:"recorded_by,omitzero"`
	At         time.Time         `json:"at"`
	Referrals  []ID              `json:"referrals" doc:"Open referrals that were revoked; their links are dead"`
	Requests   []ID              `json:"requests" doc:"Requests for a list that were stopped"`
	Deletions  []DeletionRequest `json:"deletions" doc:"Who was asked to delete what they were shown, and whether they confirmed"`
	Complete   bool              `json:"complete" doc:"Everyone confirmed"`
}

// DeleteWithin is how long a recipient has to delete what it was shown, and to say so.
const DeleteWithin = 7 * 24 * time.Hour

// DeletionRequest asks an organisation to delete what it was shown of a person.
type DeletionRequest struct {
	ID          ID         `json:"id" db:"id"`
	RecipientID ID         `json:"recipient_id" db:"recipient_id"`
	Pseudonym   ID         `json:"pseudonym" db:"pseudonym" doc:"By which the organisation knows the person"`
	AskedAt     time.Time  `json:"asked_at" db:"asked_at"`
	DueAt       time.Time  `json:"due_at" db:"due_at"`
	ConfirmedAt *time.Time `json:"confirmed_at,omitempty" db:"confirmed_at"`
	ConfirmedBy ID         `json:"confirmed_by,omitzero" db:"confirmed_by"`
}

func (r ReturneeDetails) validateConsents(v *validator, today Date) {
	v.count("consents", len(r.Consents), 50)
	for i, c := range r.Consents {
		field := fmt.Sprintf("consents[%d].", i)
		oneOf(v, field+"purpose", c.Purpose, ConsentPurposes())
		if c.GivenOn.IsZero() || c.GivenOn.After(today) {
			v.add(field+"given_on", "date", "give the day on which the person agreed, today or earlier")
		}
		if !c.ExpiresOn.IsZero() && c.ExpiresOn.Before(c.GivenOn) {
			v.add(field+"expires_on", "order", "use a day after given_on, or leave it out")
		}
		if c.Form != "" {
			oneOf(v, field+"form", c.Form, ConsentForms())
		}
		if c.Purpose != ConsentSharing && len(c.Recipients)+len(c.RecipientKinds)+len(c.Fields) > 0 {
			v.add(field+"recipients", "purpose", "recipients and fields are for the purpose sharing alone")
		}
		v.count(field+"recipients", len(c.Recipients), 200)
		v.count(field+"recipient_kinds", len(c.RecipientKinds), len(OrganisationKinds()))
		for _, k := range c.RecipientKinds {
			oneOf(v, field+"recipient_kinds", k, OrganisationKinds())
		}
		v.count(field+"fields", len(c.Fields), len(SharedFields()))
		for _, f := range c.Fields {
			oneOf(v, field+"fields", f, SharedFields())
		}
	}
}
