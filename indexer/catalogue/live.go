package catalogue

import (
	"sync/atomic"

	"onward"
)

// Live is the catalogue of the moment. It answers onward.Vocabulary with whatever is loaded now.
type Live struct{ current atomic.Pointer[Catalogue] }

// NewLive begins with a catalogue.
func NewLive(c *Catalogue) *Live {
	l := &Live{}
	l.current.Store(c)
	return l
}

// Current is the catalogue of now. One piece of work takes it once, so that it sees one release throughout.
func (l *Live) Current() *Catalogue { return l.current.Load() }

// Replace swaps the catalogue after reference data changed.
func (l *Live) Replace(c *Catalogue) { l.current.Store(c) }

// The methods of onward.Vocabulary.

// HasSkill asks the catalogue of now.
func (l *Live) HasSkill(id string) bool { return l.Current().HasSkill(id) }

// HasOccupation asks the catalogue of now.
func (l *Live) HasOccupation(id string) bool { return l.Current().HasOccupation(id) }

// Place asks the catalogue of now.
func (l *Live) Place(id onward.PlaceID) (onward.Place, bool) { return l.Current().Place(id) }

// SuggestSkills asks the catalogue of now.
func (l *Live) SuggestSkills(text string) []onward.Suggestion { return l.Current().SuggestSkills(text) }

// SuggestOccupations asks the catalogue of now.
func (l *Live) SuggestOccupations(text string) []onward.Suggestion {
	return l.Current().SuggestOccupations(text)
}

// SuggestPlaces asks the catalogue of now.
func (l *Live) SuggestPlaces(text string) []onward.Suggestion { return l.Current().SuggestPlaces(text) }
