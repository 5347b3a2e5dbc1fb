package indexer

import (
	"fmt"

	"onward"
)

// PartialError says which entries of a batch were not written, although others were.
type PartialError struct {
	Items []ItemError
}

// ItemError is why one entry was not written.
type ItemError struct {
	ID     onward.ID
	Reason string
}

func (e *PartialError) Error() string {
	if len(e.Items) == 0 {
		return "nothing failed"
	}
	first := e.Items[0]
	return fmt.Sprintf("%d of the batch failed, the first is %s: %s", len(e.Items), first.ID, first.Reason)
}
