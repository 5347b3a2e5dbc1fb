package demo

import (
	"math/rand/v2"
	"sort"

	"onward"
)

// draw is a stream of random numbers with the questions that the generator asks of it.
type draw struct{ *rand.Rand }

// chance is true with a probability.
func (d *draw) chance(p float64) bool { return d.Float64() < p }

// between is a whole number from low to high, both included.
func (d *draw) between(low, high int) int { return low + d.IntN(high-low+1) }

// within is a number from low to high.
func (d *draw) within(low, high float64) float64 { return low + (high-low)*d.Float64() }

// daysAgo is a day of the past, from least to most days before another.
func (d *draw) daysAgo(day onward.Date, least, most int) onward.Date {
	return day.AddDays(-d.between(least, most))
}

// one picks an item, each as likely.
func one[T any](d *draw, items []T) T { return items[d.IntN(len(items))] }

// some picks n different items, or all when there are fewer, in random order.
func some[T any](d *draw, items []T, n int) []T {
	picked := make([]T, 0, n)
	for _, i := range d.Perm(len(items)) {
		if len(picked) == n {
			break
		}
		picked = append(picked, items[i])
	}
	return picked
}

// weighted picks an item by its weight; false when all weigh nothing.
func weighted[T any](d *draw, items []T, weight func(*T) float64) (picked T, ok bool) {
	sum := 0.0
	for i := range items {
		sum += weight(&items[i])
	}
	x := d.Float64() * sum
	for i := range items {
		w := weight(&items[i])
		if w <= 0 {
			continue
		}
		picked, ok = items[i], true
		if x -= w; x < 0 {
			break
		}
	}
	return picked, ok
}

// lottery is weighted for many picks among the same items.
type lottery[T any] struct {
	items []T
	upTo  []float64 // running sum of the weights
}

func newLottery[T any](items []T, weight func(T) float64) lottery[T] {
	var l lottery[T]
	sum := 0.0
	for _, item := range items {
		if w := weight(item); w > 0 {
			sum += w
			l.items, l.upTo = append(l.items, item), append(l.upTo, sum)
		}
	}
	return l
}

func (l lottery[T]) pick(d *draw) T {
	x := d.Float64() * l.upTo[len(l.upTo)-1]
	return l.items[min(sort.SearchFloat64s(l.upTo, x), len(l.items)-1)]
}
