package gateway

import (
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
)

// bodyReader reads request bodies within their bounds.
type bodyReader struct {
	most  int64
	gzips sync.Pool // of *gzip.Reader
}

// What can go wrong with a body, beside what the network does to it.
var (
	errNoRoom      = errors.New("too many bytes in flight")
	errTooLarge    = errors.New("the body is too large")
	errBadGzip     = errors.New("the body is not sound gzip")
	errUnsupported = errors.New("the body's encoding isn't supported")
	errTooSlow     = errors.New("the body came too slowly")
)

const firstRead = 16 << 10

// read returns the whole body, expanded. Room is reserved for it as it arrives.
func (b *bodyReader) read(w http.ResponseWriter, r *http.Request, room *reservation) ([]byte, error) {
	if r.ContentLength > b.most {
		return nil, errTooLarge
	}
	from := io.Reader(http.MaxBytesReader(w, r.Body, b.most))
	encoding := strings.TrimSpace(r.Header.Get("Content-Encoding"))
	compressed := strings.EqualFold(encoding, "gzip") || strings.EqualFold(encoding, "x-gzip")
	if compressed {
		z, err := b.unzip(from)
		if err != nil {
			return nil, bodyError(err, true)
		}
		defer b.gzips.Put(z)
		from = z
	} else if encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, errUnsupported
	}
	limit := b.most + 1 // one more, to see what is too much
	if !compressed && r.ContentLength >= 0 {
		limit = r.ContentLength + 1
	}
	// A length is a promise: room is taken for what has come, and for as much again at most.
	var body []byte
	for {
		if len(body) == cap(body) {
			grown := min(max(firstRead, 2*int64(cap(body))), limit)
			if grown <= int64(len(body)) {
				return nil, errTooLarge
			}
			if !room.take(grown - int64(cap(body))) {
				return nil, errNoRoom
			}
			body = append(make([]byte, 0, grown), body...)
		}
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > b.most:
			return nil, errTooLarge
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, bodyError(err, compressed)
		}
	}
}

func (b *bodyReader) unzip(from io.Reader) (*gzip.Reader, error) {
	if z, ok := b.gzips.Get().(*gzip.Reader); ok {
		return z, z.Reset(from)
	}
	return gzip.NewReader(from)
}

func bodyError(err error, compressed bool) error {
	var tooLarge *http.MaxBytesError
	var corrupt flate.CorruptInputError
	switch {
	case errors.As(err, &tooLarge):
		return errTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errTooSlow
	case compressed && (errors.As(err, &corrupt) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return errBadGzip
	default:
		return err
	}
}
