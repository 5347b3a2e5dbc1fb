package demo

import (
	"fmt"
	"strings"

	"onward"
)

// title picks how an opening for the trade is called.
func (o *openings) title(j job, occ occupation) phrase {
	es, en := strings.Split(j.es, "|"), strings.Split(j.en, "|")
	i := o.IntN(len(es))
	if es[i] == "" {
		return occ.label
	}
	return phrase{es[i], en[i]}
}

// named adds to a title what people add: the crew, the shift, the town.
func (o *openings) named(base phrase, j job, in industry, at shift, d onward.OpportunityDetails, place onward.Place) phrase {
	switch r := o.Float64(); {
	case d.Remote:
		return phrase{base.es + " (trabajo remoto)", base.en + " (remote)"}
	case at.addition != (phrase{}) && (at.liveIn || at.hours < 40 || r < 0.3):
		return phrase{base.es + ", " + at.addition.es, base.en + ", " + at.addition.en}
	case r < 0.62 && j.flags&plain == 0:
		more := one(o.draw, in.additions)
		if j.flags&english == 0 && strings.Contains(more.en, "United States") {
			return base
		}
		return phrase{base.es + " – " + more.es, base.en + " – " + more.en}
	case r < 0.68:
		name := placeName(place)
		return phrase{base.es + " en " + name.es, base.en + " in " + name.en}
	case r < 0.74 && d.StartsOn.IsZero():
		return phrase{base.es + " – inicio inmediato", base.en + " – immediate start"}
	default:
		return base
	}
}

// described says what the work is, where and when, and on which conditions.
func (o *openings) described(occ occupation, in industry, at shift, d onward.OpportunityDetails, place onward.Place) phrase {
	said := o.tasks(occ, taskFrames)
	name := placeName(place)
	where := phrase{"En " + name.es, "In " + name.en}
	if d.PlaceID == 0 {
		where = phrase{"Desde casa, en cualquier parte del país", "From home, anywhere in the country"}
	}
	said = said.then(phrase{where.es + ", " + at.says.es + ".", where.en + ", " + at.says.en + "."})
	switch {
	case d.Housing && !at.liveIn:
		return said.then(phrase{"Hay hospedaje para quien viene de fuera.", "Housing for people from elsewhere."})
	case d.Relocation:
		return said.then(phrase{"Se paga el traslado a quien viene de otro estado.", "Moving from another state is paid for."})
	case len(in.with) > 0 && o.chance(0.85):
		return said.then(one(o.draw, in.with))
	}
	return said
}

func (p phrase) then(more phrase) phrase {
	if p == (phrase{}) {
		return more
	}
	return phrase{p.es + " " + more.es, p.en + " " + more.en}
}

var taskFrames = []phrase{
	{"El trabajo consiste en %s.", "The work is to %s."},
	{"Se trata de %s.", "You will %s."},
	{"Buscamos a quien sepa %s.", "We look for someone who can %s."},
}

var learningFrames = []phrase{
	{"Se aprende a %s.", "Learn to %s."},
	{"Aquí se enseña a %s.", "You will be taught to %s."},
}

// tasks names two or three things that the occupation does.
func (o *openings) tasks(occ occupation, frames []phrase) phrase {
	var doing []skill
	for _, s := range occ.essential {
		if !s.knowledge && !generalSkills[s.id[strings.LastIndexByte(s.id, '/')+1:]] {
			doing = append(doing, s)
		}
	}
	if len(doing) == 0 {
		return phrase{}
	}
	doing = some(o.draw, doing, o.between(2, 3))
	es, en := make([]string, len(doing)), make([]string, len(doing))
	for i, s := range doing {
		es[i], en[i] = s.label.es, s.label.en
	}
	frame := one(o.draw, frames)
	return phrase{fmt.Sprintf(frame.es, list(es, "y")), fmt.Sprintf(frame.en, list(en, "and"))}
}

// generalSkills say little of the work when they stand in an advertisement.
var generalSkills = map[string]bool{
	"work-in-a-team": true, "manage-time": true, "solve-problems": true, "work-independently": true, "follow-safety-rules": true,
	"clean-work-area": true, "adapt-to-new-surroundings": true,
}

// list joins words: "a, b and c". Spanish says "e" before an i.
func list(words []string, and string) string {
	last := words[len(words)-1]
	if len(words) == 1 {
		return last
	}
	if and == "y" && (strings.HasPrefix(last, "i") || strings.HasPrefix(last, "hi")) {
		and = "e"
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + and + " " + last
}

// shortNames are the names that people use for places with long official ones.
var shortNames = map[string]string{
	"Mexico City": "Ciudad de México", "Santiago de Querétaro": "Querétaro", "León de los Aldama": "León", "Xalapa de Enríquez": "Xalapa",
	"Heroica Ciudad de Juchitán de Zaragoza": "Juchitán", "Santo Domingo Tehuantepec": "Tehuantepec", "Heroica Matamoros": "Matamoros",
	"Acapulco de Juárez": "Acapulco", "Victoria de Durango": "Durango", "Pachuca de Soto": "Pachuca", "Zamora de Hidalgo": "Zamora",
	"Heroica Guaymas": "Guaymas", "Heroica Caborca": "Caborca", "Poza Rica de Hidalgo": "Poza Rica", "Silao de la Victoria": "Silao",
	"Iguala de la Independencia": "Iguala", "Ciudad de Huajuapan de León": "Huajuapan", "Tuxtla": "Tuxtla Gutiérrez",
	"Ciudad Lázaro Cárdenas": "Lázaro Cárdenas", "Túxpam de Rodríguez Cano": "Tuxpan", "Jacona de Plancarte": "Jacona",
	"Peribán de Ramos": "Peribán", "Purísima de Bustos": "Purísima", "Paracho de Verduzco": "Paracho", "Taxco de Alarcón": "Taxco",
}

// placeName is what people call a place in the two languages.
func placeName(p onward.Place) phrase {
	name := phrase{p.Name, p.Name}
	if short, ok := shortNames[p.Name]; ok {
		name = phrase{short, short}
	}
	if p.Name == "Mexico City" {
		name.en = p.Name
	}
	return name
}

func lower(s string) string {
	if s == "" || (len(s) > 1 && strings.ToUpper(s[:2]) == s[:2]) { // "CNC machine operator"
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
