package onward

import "time"

// ResidenceSource says who knows where a person lives.
type ResidenceSource string

// The sources, from the surest.
const (
	ResidenceByPayroll  ResidenceSource = "payroll"
	ResidenceByEmployer ResidenceSource = "employer"
	ResidenceByPartner  ResidenceSource = "partner" // a civil-society partner who monitors
	ResidenceBySelf     ResidenceSource = "self"
)

// ResidenceSources lists the sources.
func ResidenceSources() []ResidenceSource {
	return []ResidenceSource{ResidenceByPayroll, ResidenceByEmployer, ResidenceByPartner, ResidenceBySelf}
}

// ResidenceDetails is where a person was seen to live on a day.
type ResidenceDetails struct {
	ObservedOn Date            `json:"observed_on" format:"date"`
	PlaceID    PlaceID         `json:"place_id,omitempty" doc:"Empty: abroad"`
	Abroad     bool            `json:"abroad,omitempty" doc:"Say so instead of a place"`
	Source     ResidenceSource `json:"source" enum:"payroll,employer,partner,self"`
}

// Residence is an observation, as it is kept. It is never changed: a later one counts.
type Residence struct {
	ID         ID        `json:"id"`
	ReturneeID ID        `json:"returnee_id"`
	RecordedBy ID        `json:"recorded_by"`
	CreatedAt  time.Time `json:"created_at"`
	ResidenceDetails
}

// Validate checks an observation.
func (r ResidenceDetails) Validate(today Date, vocabulary Vocabulary) error {
	v := newValidator()
	if r.ObservedOn.IsZero() || r.ObservedOn.After(today) {
		v.add("observed_on", "date", "give the day on which the person lived there, today or earlier")
	}
	oneOf(v, "source", r.Source, ResidenceSources())
	switch {
	case r.PlaceID == 0 && !r.Abroad:
		v.add("place_id", "required", "name the place, or say that it is abroad; /v1/places finds the id by name")
	case r.PlaceID != 0 && r.Abroad:
		v.add("abroad", "contradiction", "name a place or say that it is abroad, not both")
	case r.PlaceID != 0:
		v.place(vocabulary, "place_id", r.PlaceID)
	}
	return v.err()
}
