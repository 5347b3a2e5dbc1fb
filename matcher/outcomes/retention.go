// Package outcomes sums up what became of placements: how long they last, with what is not known left open, and tables from
// which no small group can be worked out.
package outcomes

import (
	"cmp"
	"math"
	"slices"
)

// Span counts placements that were followed for the same number of days.
type Span struct {
	Days     int
	Ended    int // ended early, on that day
	Censored int // not known, or not of interest, beyond that day
}

// Point is a step of a retention curve.
type Point struct {
	Day      int     `json:"day" doc:"Days from the start"`
	AtRisk   int     `json:"at_risk" doc:"Placements that were followed until that day"`
	Ended    int     `json:"ended" doc:"Of those, ended early on that day"`
	Retained float64 `json:"retained" doc:"Share still there after that day (Kaplan and Meier 1958)"`
	StdErr   float64 `json:"standard_error" doc:"Greenwood's"`
	Low      float64 `json:"low" doc:"95 % band, by the log-log transform, which stays within 0 and 1"`
	High     float64 `json:"high"`
}

// normal95 is the 97.5th percentile of the normal distribution.
const normal95 = 1.959963984540054

// Curve is the Kaplan-Meier estimate of how long placements last: one point a day on which one ended early. Whoever is censored
// on a day counts as there on that day.
func Curve(spans []Span) []Point {
	byDay := slices.Clone(spans)
	slices.SortFunc(byDay, func(a, b Span) int { return cmp.Compare(a.Days, b.Days) })
	atRisk := 0
	for _, s := range byDay {
		atRisk += s.Ended + s.Censored
	}
	var curve []Point
	retained, greenwood := 1.0, 0.0
	for i := 0; i < len(byDay); {
		day, ended, censored := byDay[i].Days, 0, 0
		for ; i < len(byDay) && byDay[i].Days == day; i++ {
			ended += byDay[i].Ended
			censored += byDay[i].Censored
		}
		if ended > 0 {
			retained *= 1 - float64(ended)/float64(atRisk)
			if atRisk > ended {
				greenwood += float64(ended) / (float64(atRisk) * float64(atRisk-ended))
			}
			curve = append(curve, point(day, atRisk, ended, retained, greenwood))
		}
		atRisk -= ended + censored
	}
	return curve
}

func point(day, atRisk, ended int, retained, greenwood float64) Point {
	p := Point{Day: day, AtRisk: atRisk, Ended: ended, Retained: retained, StdErr: retained * math.Sqrt(greenwood)}
	if retained <= 0 || retained >= 1 { // the transform has no value there
		p.Low, p.High = retained, retained
		return p
	}
	width := normal95 * math.Sqrt(greenwood) / math.Abs(math.Log(retained))
	p.Low, p.High = math.Pow(retained, math.Exp(width)), math.Pow(retained, math.Exp(-width))
	return p
}

// band is the 95 % band of an estimate that was rounded to a step, of some at risk: log-log as in Curve, by the standard error of Peto and
// others (1977), which needs no more than both, and by half a step for the rounding.
func band(retained float64, atRisk int, step float64) (low, high float64) {
	if retained <= 0 || retained >= 1 { // the transform has no value there
		return max(0, retained-step), min(1, retained+step)
	}
	stdErr := math.Hypot(retained*math.Sqrt((1-retained)/float64(atRisk)), step/2)
	width := normal95 * stdErr / (retained * -math.Log(retained))
	return math.Pow(retained, math.Exp(width)), math.Pow(retained, math.Exp(-width))
}

// At is the curve on a day, with how many were followed until then. ok is false when no one was: nothing is known of that day.
func At(curve []Point, spans []Span, day int) (p Point, ok bool) {
	p = Point{Retained: 1, Low: 1, High: 1}
	for _, c := range curve {
		if c.Day <= day {
			p = c
		}
	}
	p.Day, p.AtRisk, p.Ended = day, 0, 0
	for _, s := range spans {
		if s.Days >= day {
			p.AtRisk += s.Ended + s.Censored
		}
	}
	return p, p.AtRisk > 0
}
