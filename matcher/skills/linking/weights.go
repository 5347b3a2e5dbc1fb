package linking

// Weights are how the features of a concept add up.
type Weights struct {
	Concept [featureCount]float64
	// Label is how much a label's own likeness counts beside its concept's, when labels are ranked.
	Label float64
	// Typical is how well a label without a word of the text stands for its concept, if it is like the preferred label.
	Typical float64
}

// OccupationWeights are for job titles: fitted by `onward evaluate linking-weights` on linking/queries_usa_en_dev,
// queries_esp_es_dev and queries_bel_fr.
func OccupationWeights() Weights {
	w := Weights{Label: 6, Typical: 0.85}
	w.Concept[fWords] = 9.179
	w.Concept[fLetters] = 0.085
	w.Concept[fCovered] = -2.773
	w.Concept[fSpace] = 3.6
	w.Concept[fGroup] = 2.934
	w.Concept[fAll] = 0.856
	w.Concept[fPrior] = 1.164
	w.Concept[fDocument] = 0.458
	w.Concept[fFirst] = 0.726
	w.Concept[fLast] = 0.426
	w.Concept[fPreferred] = 2.328
	w.Concept[fExact] = -0.142
	return w
}

// SkillWeights are for phrases that name a skill: fitted by the same command on extraction/house_validation and
// tech_validation.
func SkillWeights() Weights {
	w := Weights{Label: 6, Typical: 0.85}
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
