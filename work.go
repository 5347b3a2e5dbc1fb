package onward

// WorkKind names a kind of work that a transaction promises in the outbox. It is also the name of the task.
type WorkKind string

// The kinds of promised work.
const (
	WorkIndexOpportunity WorkKind = "index:opportunity"
	WorkMatchRequest     WorkKind = "match:request"
	WorkOfferPlaces      WorkKind = "referral:offer" // of an opportunity, to who waits for one
	WorkEndReferrals     WorkKind = "referral:end"   // of an opportunity that closed
	WorkSuspend          WorkKind = "organisation:suspend"
	WorkTell             WorkKind = "event:tell" // events to whoever is to hear of them
)

// Ref names one version of one record. Tasks carry these and nothing else.
type Ref struct {
	ID      ID    `json:"id"`
	Version int64 `json:"version,omitempty"`
}

// Work is one promise of the outbox. It is kept until the transaction that fulfils it deletes it.
type Work struct {
	ID   int64    `json:"work"`
	Kind WorkKind `json:"-"`
	Refs []Ref    `json:"refs"`
	// Attempt counts how often it was handed to the queue, from 1.
	Attempt int `json:"-"`
}
