package linking

import "math"

// Calibration turns what speaks for a match into how often such a match is right: a logistic function of
// Calibration.inputs, fitted by the same command as the weights on the first five matches of each text, right or wrong,
// of texts that mean no concept too.
type Calibration [calibrationInputs]float64

const calibrationInputs = 5

// LeastConfidence is where "no match" begins, unless a caller asks for another: below it, four of five matches are wrong.
const LeastConfidence = 0.2

// inputs are 1, the logarithm of the match's share among all candidates (the softmax of their scores: how it stands
// against its rivals), and how like the text it is by letters, by words, and by how much of the text it covers (how it
// stands by itself).
func (c *candidate) inputs(share float64) [calibrationInputs]float64 {
	return [calibrationInputs]float64{
		1, math.Log(math.Max(share, 1e-6)), float64(c.features[fLetters]), float64(c.features[fWords]), float64(c.features[fCovered]),
	}
}

func (c Calibration) of(inputs [calibrationInputs]float64) float64 {
	sum := 0.0
	for k, weight := range c {
		sum += weight * inputs[k]
	}
	return 1 / (1 + math.Exp(-sum))
}

// shares is the softmax of the scores of candidates.
func shares(found []candidate) []float64 {
	list := make([]float64, len(found))
	if len(found) == 0 {
		return list
	}
	highest, sum := found[0].score, 0.0 // sorted
	for i := range found {
		list[i] = math.Exp(found[i].score - highest)
		sum += list[i]
	}
	for i := range list {
		list[i] /= sum
	}
	return list
}
