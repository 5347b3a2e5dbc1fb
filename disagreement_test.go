package onward

import (
	"math"
	"testing"
)

func TestTheFactorThatSpokeForTheFirstIsTheOneDistrusted(t *testing.T) {
	first := &ScoreParts{Fit: 0.8, Reach: 0.9, Terms: 1}
	d := Disagree([]Choice{
		{Rank: 1, Chosen: *first, First: first},
		{Rank: 3, Reason: ChoiceDestination, Chosen: ScoreParts{0.8, 0.3, 1}, First: first},
		{Rank: 2, Reason: ChoiceDestination, Chosen: ScoreParts{0.9, 0.3, 1}, First: first},
		{Rank: 4, Reason: ChoiceSkills, Chosen: ScoreParts{0.4, 0.9, 1}, First: first, Overridden: true},
		{Rank: 0, Reason: ChoiceOffList},
	})
	if d.Referrals != 5 || d.First != 1 || d.Lower != 3 || d.OffList != 1 || d.Overridden != 1 {
		t.Errorf("%+v", d)
	}
	if f := d.Factors[0]; f.Factor != "reach" || f.Main != 2 || math.Abs(f.Share-2*math.Log(3)/(2*math.Log(3)+math.Log(2))) > 1e-12 {
		t.Errorf("the most distrusted is %+v", f)
	}
	if f := d.Factors[1]; f.Factor != "fit" || f.Main != 1 || math.Abs(f.Ratio-math.Pow(2*0.8/0.9, 1.0/3)) > 1e-12 {
		t.Errorf("then %+v", f)
	}
	if len(d.Reasons) != 3 || d.Reasons[0] != (ReasonCount{ChoiceDestination, 2}) {
		t.Errorf("reasons %+v", d.Reasons)
	}
	if none := Disagree(nil); none.Factors[0].Share != 0 || none.Factors[0].Ratio != 1 {
		t.Errorf("of nothing: %+v", none)
	}
	if zero := Disagree([]Choice{{Rank: 2, First: first}}); math.IsInf(zero.Factors[0].Ratio, 0) || math.IsNaN(zero.Factors[0].Share) {
		t.Errorf("of a score of 0: %+v", zero)
	}
}
