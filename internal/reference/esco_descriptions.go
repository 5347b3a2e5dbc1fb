package reference

import (
	"context"
	"errors"
	"io"

	"onward"
)

// ReadESCODescriptions reads what an official ESCO release says of its skills, occupations and ISCO groups, by id, in
// English. It is not part of the taxonomy: only the linking of texts learns from it. Paths and errors are those of ReadESCO.
func ReadESCODescriptions(ctx context.Context, paths []string) (map[string]string, error) {
	source, err := findESCO(paths, func(string) {})
	if err != nil {
		return nil, err
	}
	defer source.close()
	descriptions := make(map[string]string, 20_000)
	for _, f := range source.files {
		switch f.table {
		case escoSkills, escoOccupations, escoISCOGroups:
		default:
			continue
		}
		if f.language != "en" {
			continue
		}
		if err := readDescriptions(ctx, f, descriptions); err != nil {
			return nil, err
		}
	}
	return descriptions, nil
}

func readDescriptions(ctx context.Context, f escoFile, into map[string]string) error {
	in, err := f.open()
	if err != nil {
		return onward.Errorf(onward.EInvalid, "%s: can't be read; download it again", f.name).Because(err)
	}
	defer func() { _ = in.Close() }()
	t, err := newTableReader(in, f.name, ',', []string{"conceptUri"}, func(int64) error { return ctx.Err() })
	if err != nil {
		return err
	}
	for {
		if err := t.next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if id, ok := escoID(t.get("concepturi")); ok {
			if text := t.get("description"); text != "" {
				into[id] = text
			}
		}
	}
}
