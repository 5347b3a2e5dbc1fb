package simulate_test

import (
	"encoding/json"
	"testing"

	"onward/cmd/onward/internal/simulate"
)

func run(t *testing.T, seed uint64) string {
	t.Helper()
	result, err := simulate.Run(t.Context(), simulate.Options{Seed: seed, Returnees: 40, Programmes: 2, Referrals: 2, Worlds: simulate.Worlds()[:1]})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheSameSeedGivesTheSameProgrammes(t *testing.T) {
	t.Parallel()
	first := run(t, 3)
	if again := run(t, 3); again != first {
		t.Errorf("%s\n%s", first, again)
	}
	if other := run(t, 4); other == first {
		t.Error("another seed gives the same")
	}
}

func TestAWorldThatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()
	if _, err := simulate.WorldNamed("utopia"); err == nil {
		t.Error("there is no such world")
	}
}
