package importer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"sync/atomic"

	"onward"
)

// input is a file, unpacked and without its byte-order mark, ready to be read by rows or lines.
type input struct {
	*window
	counted *countingReader
	format  Format
}

// countingReader counts what is read of the file as it lies there.
type countingReader struct {
	r io.Reader
	n atomic.Int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// openInput looks at the first bytes: what is packed, in another encoding, or no text at all.
func openInput(r io.Reader, format Format) (*input, error) {
	if format != FormatDetect && format != FormatCSV && format != FormatNDJSON {
		return nil, onward.Errorf(onward.EInvalid, "a file is read as csv or ndjson; %q is neither", string(format))
	}
	counted := &countingReader{r: r}
	buffered := bufio.NewReaderSize(counted, 64<<10)
	var plain io.Reader = buffered
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, onward.Errorf(onward.EInvalid, "the file is not complete gzip; fetch it again").Because(err)
		}
		plain = unpacked
	}
	in := &input{window: newWindow(plain), counted: counted, format: format}
	for in.end < 4<<10 && !in.eof {
		if _, err := in.more(); err != nil {
			return nil, unreadable(err)
		}
	}
	begin := in.unread()
	switch {
	case bytes.HasPrefix(begin, []byte("\xff\xfe")), bytes.HasPrefix(begin, []byte("\xfe\xff")):
		return nil, onward.Errorf(onward.EInvalid, "the file is UTF-16; save it as UTF-8 (in a spreadsheet: CSV UTF-8)")
	case bytes.HasPrefix(begin, []byte("PK\x03\x04")):
		return nil, onward.Errorf(onward.EInvalid, "the file is a spreadsheet or a zip archive; save it as CSV UTF-8, or unpack it")
	case bytes.IndexByte(begin, 0) >= 0:
		return nil, onward.Errorf(onward.EInvalid, "the file is not text; give CSV or NDJSON")
	case bytes.HasPrefix(begin, []byte("\xef\xbb\xbf")):
		in.start += 3
	}
	text := bytes.TrimLeft(in.unread(), " \t\r\n")
	switch {
	case len(text) == 0 && in.eof:
		return nil, onward.Errorf(onward.EInvalid, "the file is empty")
	case in.format != FormatDetect:
	case len(text) > 0 && text[0] == '{':
		in.format = FormatNDJSON
	case len(text) > 0 && text[0] == '[':
		return nil, onward.Errorf(onward.EInvalid, "the file is one JSON array; write one object a line instead, without brackets and commas between them")
	default:
		in.format = FormatCSV
	}
	return in, nil
}

func unreadable(err error) error {
	if errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF) {
		return onward.Errorf(onward.EInvalid, "the file is packed and damaged; fetch it again").Because(err)
	}
	return onward.Errorf(onward.EInvalid, "the file can't be read to its end").Because(err)
}

// contentID is the external id of a row that has none: the same row of the same organisation gets the same one. It is
// keyed with the organisation, so that it says nothing to others about whose row it is.
func contentID(organisation onward.ID, content []byte) string {
	h := hmac.New(sha256.New, slices.Clone(organisation[:]))
	h.Write(content)
	return "row-" + hex.EncodeToString(h.Sum(nil)[:16])
}
