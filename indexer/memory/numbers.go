package memory

import "math"

// numbers is a list of numbers in two bytes each, or in four when one of them needs it.
type numbers struct {
	narrow []uint16
	wide   []uint32 // instead of narrow, when not nil
}

func newNumbers(size int) numbers { return numbers{narrow: make([]uint16, 0, size)} }

// zeroNumbers has size zeros, to be set to numbers up to highest.
func zeroNumbers(size int, highest uint32) numbers {
	if highest > math.MaxUint16 {
		return numbers{wide: make([]uint32, size)}
	}
	return numbers{narrow: make([]uint16, size)}
}

func (n *numbers) len() int { return len(n.narrow) + len(n.wide) }

func (n *numbers) at(i uint32) uint32 {
	if n.wide != nil {
		return n.wide[i]
	}
	return uint32(n.narrow[i])
}

func (n *numbers) set(i, value uint32) {
	if n.wide != nil {
		n.wide[i] = value
		return
	}
	n.narrow[i] = uint16(value) //nolint:gosec // zeroNumbers was told
}

func (n *numbers) append(value uint32) {
	if n.wide == nil && value > math.MaxUint16 {
		n.wide = make([]uint32, len(n.narrow), cap(n.narrow)+1)
		for i, v := range n.narrow {
			n.wide[i] = uint32(v)
		}
		n.narrow = nil
	}
	if n.wide != nil {
		n.wide = append(n.wide, value)
		return
	}
	n.narrow = append(n.narrow, uint16(value)) //nolint:gosec // checked above
}

// clipped gives back what append took in advance.
func (n *numbers) clipped() numbers {
	if n.wide != nil {
		return numbers{wide: append([]uint32{}, n.wide...)}
	}
	return numbers{narrow: append([]uint16(nil), n.narrow...)}
}
