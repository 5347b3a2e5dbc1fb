package linking

import "math"

// letterBits is the size of the table of runs of letters: two runs that share an entry share a weight, which does no harm.
const letterBits = 18

// textGrams calls f with a hash of each run of 2 to 5 letters of each word with a blank on both sides, as is usual for
// tf-idf over letters.
func textGrams(text string, f func(uint32)) {
	var buffer [160]rune
	letters := append(buffer[:0], ' ')
	for _, r := range text {
		letters = append(letters, r)
	}
	letters = append(letters, ' ')
	for i := range letters {
		h := uint32(2166136261)
		for n := 0; n < 5 && i+n < len(letters); n++ {
			r := letters[i+n]
			h = (h ^ uint32(r)) * 16777619 //nolint:gosec // runes are not negative
			if n >= 1 {
				x := h ^ h>>15
				x *= 2246822519
				f((x ^ x>>13))
			}
		}
	}
}

// weighLetters counts in how many labels each run of letters stands, and works out the length of each label.
func (l *Linker) weighLetters() {
	count := make([]uint32, 1<<letterBits)
	lastSeen := make([]int32, 1<<letterBits)
	for i := range l.labels {
		textGrams(l.labelText(int32(i)), func(h uint32) {
			h &= 1<<letterBits - 1
			if lastSeen[h] != int32(i)+1 {
				lastSeen[h] = int32(i) + 1
				count[h]++
			}
		})
	}
	l.gramIDF = make([]float32, 1<<letterBits)
	for h, n := range count {
		l.gramIDF[h] = 1 + float32(math.Log(float64(1+len(l.labels))/float64(1+n)))
	}
	tf := make([]float32, 1<<letterBits)
	var touched []uint32
	for i := range l.labels {
		touched = countGrams(l.labelText(int32(i)), tf, touched[:0])
		sum := float32(0)
		for _, h := range touched {
			x := tf[h] * l.gramIDF[h]
			sum += x * x
			tf[h] = 0
		}
		l.labels[i].letters = float32(math.Sqrt(float64(sum)))
	}
}

// countGrams counts the runs of letters of a text, and lists them in the order in which they first come.
func countGrams(text string, tf []float32, touched []uint32) []uint32 {
	textGrams(text, func(h uint32) {
		h &= 1<<letterBits - 1
		if tf[h] == 0 {
			touched = append(touched, h)
		}
		tf[h]++
	})
	return touched
}

// queryLetters puts the vector of a text into the workspace and gives its length.
func (l *Linker) queryLetters(text string, w *workspace) float32 {
	for _, h := range w.grams {
		w.letters[h] = 0
	}
	w.grams = countGrams(text, w.letters, w.grams[:0])
	sum := float32(0)
	for _, h := range w.grams {
		x := w.letters[h] * l.gramIDF[h]
		sum += x * x
		w.letters[h] = x * l.gramIDF[h]
	}
	return float32(math.Sqrt(float64(sum)))
}

func (l *Linker) lettersCosine(label int32, w *workspace, norm float32) float32 {
	dot := float32(0)
	textGrams(l.labelText(label), func(h uint32) { dot += w.letters[h&(1<<letterBits-1)] })
	return min(1, dot/(norm*l.labels[label].letters))
}

// findTypical compares each label with the preferred one of its concept that comes first.
func (l *Linker) findTypical() {
	w := &workspace{letters: make([]float32, 1<<letterBits)}
	for _, c := range l.concepts {
		if c.first == c.end {
			continue
		}
		norm := l.queryLetters(l.labelText(c.first), w)
		for i := c.first; i < c.end; i++ {
			l.labels[i].typical = l.lettersCosine(i, w, norm)
		}
	}
}
