package simulate

import (
	"fmt"
	"io"
)

// Print writes the result for a person.
func (r Result) Print(w io.Writer) {
	_, _ = fmt.Fprintf(w, "%d programmes of %d returnees, %d referrals each; in per cent of all, with 95 %% intervals\n", r.Programmes, r.Returnees, r.Referrals)
	for _, world := range r.Worlds {
		_, _ = fmt.Fprintf(w, "\n%s: %s\n%-24s %18s %26s\n", world.World.Name, world.World.What, "", "placed", "retained at 180 days")
		for _, arm := range world.Arms {
			_, _ = fmt.Fprintf(w, "%-24s %18s %26s\n", arm.Name, arm.Placed.percent(), arm.Retained.percent())
		}
		_, _ = fmt.Fprintf(w, "onward over skills only at the origin: %s %%; share of the oracle: %s %%\n", world.Gain.percent(), world.OfOracle.percent())
	}
}

func (e Estimate) percent() string {
	return fmt.Sprintf("%.1f (%.1f to %.1f)", 100*e.Value, 100*e.Low, 100*e.High)
}
