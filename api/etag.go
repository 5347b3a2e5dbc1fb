package api

import (
	"strconv"
	"strings"

	"onward"
)

// etag is the version of a record as HTTP has it.
func etag(version int64) string { return `"v` + strconv.FormatInt(version, 10) + `"` }

// versionOf reads If-Match. Every change of a record needs it, so that no one overwrites what they have not seen.
func versionOf(ifMatch string) (int64, error) {
	if ifMatch == "" {
		return 0, onward.Errorf(onward.EPrecondition, "send If-Match with the ETag of what you read, so that you do not overwrite someone else's change")
	}
	text := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(ifMatch, "W/"), `"v`), `"`)
	version, err := strconv.ParseInt(text, 10, 64)
	if err != nil || version < 1 {
		return 0, onward.Errorf(onward.EVersion, "If-Match is not an ETag of this record; read it again and send the ETag as it came")
	}
	return version, nil
}
