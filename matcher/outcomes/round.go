package outcomes

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
)

// rounder rounds at random to one of the two neighbouring multiples of a step, the nearer with the better chance, so that sums are
// right on average (as Statistics Canada rounds census counts, to base five). What is drawn hangs on the key, on what is rounded and on
// its value: asking again, or in the next month, gives the same, and averaging gives nothing.
type rounder []byte

// of rounds a value that has a name.
func (r rounder) of(value, step float64, name string) float64 {
	below := math.Floor(value/step + 1e-9)
	if value/step-below > r.draw(fmt.Sprintf("%s %.9f %.9f", name, value, step)) {
		below++
	}
	return below * step
}

// count rounds a count to a multiple of Least.
func (r rounder) count(n int, name string) int { return int(math.Round(r.of(float64(n), Least, name))) }

// draw is a number in [0, 1).
func (r rounder) draw(name string) float64 {
	mac := hmac.New(sha256.New, r)
	_, _ = mac.Write([]byte(name)) // never fails
	return float64(binary.BigEndian.Uint64(mac.Sum(nil))>>11) / (1 << 53)
}
