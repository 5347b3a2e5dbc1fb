package importer

import (
	"strings"

	"onward"
)

// ParsePairs reads what a flag such as --set or --map is given: "kind=job,place=Zapopan, Jalisco, MX". A comma begins a
// new pair only if an equals sign follows before the next comma.
func ParsePairs(texts []string) (map[string]string, error) {
	pairs := map[string]string{}
	for _, text := range texts {
		key := ""
		for _, part := range strings.Split(text, ",") {
			name, value, found := strings.Cut(part, "=")
			name = strings.TrimSpace(name)
			switch {
			case found && name == "":
				return nil, onward.Errorf(onward.EInvalid, "%q has nothing before the equals sign; write name=value", part)
			case found:
				if _, twice := pairs[name]; twice {
					return nil, onward.Errorf(onward.EInvalid, "%s is given twice", name)
				}
				key = name
				pairs[key] = strings.TrimSpace(value)
			case key == "":
				return nil, onward.Errorf(onward.EInvalid, "%q has no equals sign; write name=value", part)
			default:
				pairs[key] += "," + part
			}
		}
	}
	return pairs, nil
}
