package store

import (
	"encoding/base64"

	"onward"
)

// Page is one part of a list, newest first. Next is empty on the last one.
type Page[T any] struct {
	Items []T
	Next  string
}

// Cursor says where a list goes on. Its text is opaque to callers.
type Cursor struct {
	After string
	Limit int
}

// position is the id after which the page begins, and how many rows to read: one more than asked, to know whether
// there is a next page.
func (c Cursor) position() (after onward.ID, limit int, err error) {
	limit = c.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, 200)
	if c.After == "" {
		for i := range after {
			after[i] = 0xff
		}
		return after, limit, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(c.After)
	if err != nil || len(raw) != len(after) || base64.RawURLEncoding.EncodeToString(raw) != c.After { // there is one text for each place
		return after, 0, onward.Invalid([]onward.FieldError{{Field: "cursor", Rule: "cursor", Message: "use the cursor of the page before as it came, or leave it out to start again"}})
	}
	copy(after[:], raw)
	return after, limit, nil
}

func pageOf[T any](items []T, limit int, id func(T) onward.ID) Page[T] {
	if len(items) <= limit {
		return Page[T]{Items: items}
	}
	items = items[:limit]
	last := id(items[limit-1])
	return Page[T]{Items: items, Next: base64.RawURLEncoding.EncodeToString(last[:])}
}
