package migrations_test

import (
	"strings"
	"testing"

	"onward"
	"onward/migrations"
)

func TestAPasswordIsNotRepeatedWhenItsURLCanNotBeRead(t *testing.T) {
	t.Parallel()
	const bad = "postgres://owner:pa55-of-the-owner@[::1/onward"
	_, applied := migrations.Apply(t.Context(), bad)
	_, checked := migrations.Check(t.Context(), bad)
	for _, err := range []error{applied, checked} {
		if onward.CodeOf(err) != onward.EInvalid || strings.Contains(err.Error(), "pa55") {
			t.Errorf("%v", err)
		}
	}
}
