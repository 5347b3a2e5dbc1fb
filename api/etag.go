package api

import (
	"regexp"
	"strconv"
	"strings"

	"onward"
)

// etag is the version of a record as HTTP has it.
func etag(version int64) string { return `"v` + strconv.FormatInt(version, 10) + `"` }

// A proxy that compresses answers makes an ETag weak; it still names the version.
var etagPattern = regexp.MustCompile(`^(?:W/)?"v([1-9][0-9]{0,17})"$`)

// versionOf reads If-Match. Every change of a record needs it, so that no one overwrites what they have not seen.
func versionOf(ifMatch string) (int64, error) {
	if ifMatch == "" {
		return 0, onward.Errorf(onward.EPrecondition, "send If-Match with the ETag of what you read, so that you do not overwrite someone else's change")
	}
	match := etagPattern.FindStringSubmatch(strings.TrimSpace(ifMatch))
	if match == nil {
		return 0, onward.Errorf(onward.EVersion, "If-Match is not an ETag of this record; read it again and send the ETag as it came")
	}
	return strconv.ParseInt(match[1], 10, 64)
}

// unchanged says that a caller who sent If-None-Match has this version already.
func unchanged(ifNoneMatch string, version int64) bool {
	for tag := range strings.SplitSeq(ifNoneMatch, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == etag(version) {
			return true
		}
	}
	return false
}

// versionOrNone is versionOf for records that are there from their first change on: before it, their ETag is "v0".
func versionOrNone(ifMatch string) (int64, error) {
	if strings.TrimPrefix(strings.TrimSpace(ifMatch), "W/") == etag(0) {
		return 0, nil
	}
	return versionOf(ifMatch)
}
