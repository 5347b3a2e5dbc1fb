package onward

import "time"

// AuditEntry is one line of the record of who read and changed what. It names records and fields, and never holds what was in them.
type AuditEntry struct {
	Seq       int64     `json:"seq" doc:"In the chain of the organisation"`
	At        time.Time `json:"at"`
	Role      string    `json:"role" doc:"Of whoever did it; a login of the database when it was done past Onward"`
	UserID    ID        `json:"user,omitzero"`
	Of        ID        `json:"of,omitzero" doc:"The organisation of the user"`
	TokenID   ID        `json:"token,omitzero"`
	RequestID string    `json:"request,omitempty"`
	From      string    `json:"from,omitempty" doc:"The address that the request came from"`
	Why       string    `json:"why,omitempty" doc:"What the caller gave as Onward-Reason"`
	Emergency ID        `json:"emergency,omitzero" doc:"The access in an emergency under which it was done"`
	Action    string    `json:"action" enum:"read,create,change,delete,restore"`
	Resource  string    `json:"resource"`
	IDs       []ID      `json:"ids" doc:"What it is about, the person among them"`
	Fields    []string  `json:"fields,omitempty" doc:"What was read, or changed"`
	Before    string    `json:"before,omitempty" doc:"SHA-256 of the record before"`
	After     string    `json:"after,omitempty" doc:"SHA-256 of the record after"`
}

// AuditHead is the end of the chain of an organisation. Kept elsewhere, it proves that nothing up to it was altered since.
type AuditHead struct {
	OrganisationID ID     `json:"organisation_id"`
	Seq            int64  `json:"seq"`
	Hash           string `json:"hash"`
}

// AuditFlaw is where a chain does not hold.
type AuditFlaw struct {
	OrganisationID ID     `json:"organisation_id"`
	Seq            int64  `json:"seq"`
	What           string `json:"what"`
}
