// Package simulate compares ways to refer people, in made-up programmes among real cities and real occupations: how many
// are placed and still there after 180 days.
package simulate

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"onward"
)

// Options of a simulation.
type Options struct {
	Seed       uint64
	Returnees  int // of one programme
	Programmes int // drawn, one after the other; what is printed is their mean
	Referrals  int // of one person
	Worlds     []World
}

// Result is what came out, by world.
type Result struct {
	Seed       uint64        `json:"seed"`
	Programmes int           `json:"programmes"`
	Returnees  int           `json:"returnees"` // of one programme
	Referrals  int           `json:"referrals"` // of one person
	Worlds     []WorldResult `json:"worlds"`
}

// WorldResult compares the arms in one world.
type WorldResult struct {
	World World       `json:"world"`
	Arms  []ArmResult `json:"arms"`
	// Gain is Onward's retained over those of skills only at the origin, less 1. OfOracle is its share of the oracle's.
	Gain     Estimate `json:"gain_over_skills_only_at_origin"`
	OfOracle Estimate `json:"share_of_oracle"`
}

// ArmResult is one arm, in shares of all people.
type ArmResult struct {
	Name     string   `json:"name"`
	Placed   Estimate `json:"placed"`
	Retained Estimate `json:"placed_and_retained_at_180_days"`
}

// Estimate is a mean with its 95 % confidence interval, by the bootstrap over programmes.
type Estimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// resamples of the bootstrap.
const resamples = 2000

func (o Options) validate() error {
	for _, bound := range []struct {
		name        string
		value       int
		least, most int
	}{
		{"--returnees", o.Returnees, 10, 20_000}, {"--programmes", o.Programmes, 2, 1000}, {"--referrals", o.Referrals, 1, 50},
	} {
		if bound.value < bound.least || bound.value > bound.most {
			return onward.Errorf(onward.EInvalid, "%s: use %d to %d", bound.name, bound.least, bound.most)
		}
	}
	return nil
}

// Run simulates. The same options give the same result. EInvalid for options out of bounds.
func Run(ctx context.Context, o Options) (Result, error) {
	result := Result{Seed: o.Seed, Programmes: o.Programmes, Returnees: o.Returnees, Referrals: o.Referrals}
	if err := o.validate(); err != nil {
		return result, err
	}
	stage, err := newStage()
	if err != nil {
		return result, err
	}
	for _, world := range o.Worlds {
		counts := make([][]count, o.Programmes)
		var work errgroup.Group
		work.SetLimit(runtime.GOMAXPROCS(0))
		for i := range counts {
			work.Go(func() error {
				if err := ctx.Err(); err != nil {
					return err
				}
				seed := rand.New(rand.NewPCG(o.Seed, uint64(i))).Uint64() //nolint:gosec // the same programmes each time, in every world
				counts[i] = stage.newProgramme(world, seed, o.Returnees).run(o.Referrals)
				return nil
			})
		}
		if err := work.Wait(); err != nil {
			return result, err
		}
		result.Worlds = append(result.Worlds, summary(world, counts, o))
	}
	return result, nil
}

// count is what an arm brought about in one programme.
type count struct {
	arm              string
	placed, retained int
	referrals        int
}

// run sends everybody's referrals, arm by arm.
func (g *programme) run(k int) []count {
	arms := g.arms()
	counts := make([]count, len(arms))
	for i, arm := range arms {
		counts[i] = g.runArm(arm, k)
	}
	return counts
}

// runArm helps one person after the other. The best k openings with places left are tried in turn until one takes the
// person; who has work takes no other.
func (g *programme) runArm(arm arm, k int) count {
	result := count{arm: arm.name}
	free := make([]int, len(g.openings))
	left := make([]int, len(g.openings))
	for i := range g.openings {
		free[i], left[i] = g.openings[i].capacity, i
	}
	for _, p := range g.people {
		referred := arm.refer(p, left, k)
		result.referrals += len(referred)
		for _, number := range referred {
			chance := g.chances(p, &g.openings[number])
			taken, retained := g.dice(p, number)
			if taken >= chance.taken {
				continue
			}
			result.placed++
			if retained < chance.retained {
				result.retained++
			}
			if free[number]--; free[number] == 0 {
				left = slices.DeleteFunc(left, func(n int) bool { return n == number })
			}
			break
		}
	}
	return result
}

func summary(world World, counts [][]count, o Options) WorldResult {
	result := WorldResult{World: world}
	people := float64(o.Returnees)
	position := map[string]int{}
	for a, c := range counts[0] {
		position[c.arm] = a
		share := func(of func(count) int) Estimate {
			return bootstrap(o, func(draw []int) float64 {
				sum := 0.0
				for _, i := range draw {
					sum += float64(of(counts[i][a]))
				}
				return sum / people / float64(len(draw))
			})
		}
		result.Arms = append(result.Arms, ArmResult{
			Name: c.arm, Placed: share(func(c count) int { return c.placed }), Retained: share(func(c count) int { return c.retained }),
		})
	}
	ratio := func(one, other string) func(draw []int) float64 {
		return func(draw []int) float64 {
			a, b := 0.0, 0.0
			for _, i := range draw {
				a += float64(counts[i][position[one]].retained)
				b += float64(counts[i][position[other]].retained)
			}
			return a / max(b, 1)
		}
	}
	gain := ratio(armOnward, armSkillsAtOrigin)
	result.Gain = bootstrap(o, func(draw []int) float64 { return gain(draw) - 1 })
	result.OfOracle = bootstrap(o, ratio(armOnward, armOracle))
	return result
}

// bootstrap draws programmes again and again, whole: people of one programme compete for the same places.
func bootstrap(o Options, statistic func(draw []int) float64) Estimate {
	random := rand.New(rand.NewPCG(o.Seed, 13)) //nolint:gosec // the same interval each time
	draw := make([]int, o.Programmes)
	for i := range draw {
		draw[i] = i
	}
	e := Estimate{Value: statistic(draw)}
	values := make([]float64, resamples)
	for k := range values {
		for i := range draw {
			draw[i] = random.IntN(o.Programmes)
		}
		values[k] = statistic(draw)
	}
	slices.Sort(values)
	e.Low, e.High = values[resamples*25/1000], values[resamples*975/1000]
	return e
}
