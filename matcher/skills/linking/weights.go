package linking

// Weights are how the features of a concept add up.
type Weights struct {
	Concept [featureCount]float64
	// LabelLetters and LabelWords are how much a label counts that is less like the text than its concept's best label is,
	// when labels are ranked.
	LabelLetters, LabelWords float64
	// Typical is how well a label without a word of the text stands for its concept, if it is like the preferred label.
	Typical float64
	// Calibration makes a confidence of a score.
	Calibration Calibration
}

// OccupationWeights are for job titles: fitted by `onward evaluate linking-weights` on linking/queries_usa_en_dev,
// queries_esp_es_dev and queries_bel_fr.
func OccupationWeights() Weights {
	w := Weights{LabelLetters: 20, LabelWords: 4, Typical: 0.85, Calibration: Calibration{0.470, 1.386, 0.512, 0.329, 0.028}}
	w.Concept[fWords] = 9.35
	w.Concept[fLetters] = 0.436
	w.Concept[fCovered] = -3.347
	w.Concept[fCovers] = -0.164
	w.Concept[fSpace] = 3.556
	w.Concept[fGroup] = 2.933
	w.Concept[fAll] = 0.173
	w.Concept[fPrior] = 1.512
	w.Concept[fDocument] = 0.977
	w.Concept[fFirst] = 0.731
	w.Concept[fLast] = 0.431
	w.Concept[fPreferred] = 2.326
	w.Concept[fExact] = -0.044
	return w
}

// SkillWeights are for phrases that name a skill: fitted by the same command on extraction/house_validation and
// tech_validation.
func SkillWeights() Weights {
	w := Weights{LabelLetters: 6, LabelWords: 6, Typical: 0.85, Calibration: Calibration{-1.691, 0.974, 2.888, 0.978, -1.124}}
	w.Concept[fWords] = 7.596
	w.Concept[fLetters] = 1.401
	w.Concept[fCovered] = -0.921
	w.Concept[fCovers] = 2.629
	w.Concept[fSpace] = 3.901
	w.Concept[fAll] = -3.27
	w.Concept[fPrior] = 0.603
	w.Concept[fDocument] = 0.717
	w.Concept[fFirst] = 0.235
	w.Concept[fLast] = 0.388
	w.Concept[fPreferred] = 4.832
	w.Concept[fExact] = -0.544
	return w
}

// ExampleWeights are for vacancy titles where coded titles are at hand: fitted by the same command on
// linking/queries_titles_dev, each title with what was learnt from four fifths of the others.
func ExampleWeights() Weights {
	w := Weights{LabelLetters: 20, LabelWords: 4, Typical: 0.85, Calibration: Calibration{1.079, 1.288, 1.017, -1.207, 0.095}}
	w.Concept[fWords] = 1.981
	w.Concept[fLetters] = 0.605
	w.Concept[fCovered] = 0.134
	w.Concept[fCovers] = 0.325
	w.Concept[fSpace] = 2.313
	w.Concept[fGroup] = 0.514
	w.Concept[fAll] = -1.457
	w.Concept[fPrior] = 1.83
	w.Concept[fDocument] = -0.062
	w.Concept[fFirst] = 0.319
	w.Concept[fLast] = -0.07
	w.Concept[fPreferred] = 0.914
	w.Concept[fExact] = 1.323
	w.Concept[fExamples] = 2.812
	w.Concept[fClass] = 4.575
	return w
}
