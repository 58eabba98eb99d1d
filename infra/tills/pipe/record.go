package pipe

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/projections/deadletter"
)

// Topic is where bodies are kept, under the prefix of the topics.
const Topic = "tills"

// Headers of a record of that topic.
const (
	tillHeader     = "makegood_till"     // its name
	kindHeader     = "makegood_kind"     // that the sender's address or the tills file names
	encodingHeader = "makegood_encoding" // gzip; absent: the body is as it came
	headerPrefix   = "till-"             // before the name of a header of the sender's, in lower case
)

const (
	// packFrom is the size from which a body is packed: brokers take some 1 MB a record.
	packFrom = 256 << 10
	// MaxStored bounds a record's body, packed.
	MaxStored = 900 << 10
	// maxBody bounds a body that is unpacked again.
	maxBody = 64 << 20
	// maxHeaders bounds the bytes of the sender's headers that are kept.
	maxHeaders = 16 << 10
)

// ErrTooLarge says that a body doesn't fit in a record.
var ErrTooLarge = fmt.Errorf("larger than %d bytes, packed", MaxStored)

// Body is what a till sent.
type Body struct {
	Till     string
	Kind     string
	Header   map[string]string // of interest to the mapping; names in lower case
	Content  []byte
	Received time.Time
	fetched  bool // what it only names is fetched
}

// Record makes a body a record of Topic. Errors: ErrTooLarge.
func (b *Body) Record() (*message.Message, error) {
	content, packed := b.Content, false
	if len(content) >= packFrom {
		var small bytes.Buffer
		z := gzip.NewWriter(&small)
		if _, err := z.Write(content); err != nil {
			return nil, fmt.Errorf("pack a body: %w", err)
		}
		if err := z.Close(); err != nil {
			return nil, fmt.Errorf("pack a body: %w", err)
		}
		content, packed = small.Bytes(), true
	}
	if len(content) > MaxStored {
		return nil, ErrTooLarge
	}
	m := message.NewMessage("", content)
	m.Metadata.Set(tillHeader, b.Till)
	m.Metadata.Set(deadletter.ReceivedHeader, b.Received.UTC().Format(time.RFC3339Nano))
	if b.Kind != "" {
		m.Metadata.Set(kindHeader, b.Kind)
	}
	if packed {
		m.Metadata.Set(encodingHeader, "gzip")
	}
	for name, value := range b.Header {
		m.Metadata.Set(headerPrefix+name, value)
	}
	return m, nil
}

// TillOf is the name of the till that a record with these headers is of; empty where it is of none.
func TillOf(headers map[string]string) string { return headers[tillHeader] }

// ReadRecord is the body of a record of Topic. An error says why it is none.
func ReadRecord(m *message.Message) (*Body, error) {
	b := &Body{Till: m.Metadata.Get(tillHeader), Kind: m.Metadata.Get(kindHeader), Header: map[string]string{},
		Content: m.Payload}
	if b.Till == "" {
		return nil, fmt.Errorf("the record has no header %s", tillHeader)
	}
	received, err := time.Parse(time.RFC3339Nano, m.Metadata.Get(deadletter.ReceivedHeader))
	if err != nil {
		return nil, fmt.Errorf("the header %s is no time", deadletter.ReceivedHeader)
	}
	b.Received = received
	for name, value := range m.Metadata {
		if of, is := strings.CutPrefix(name, headerPrefix); is {
			b.Header[of] = value
		}
	}
	switch m.Metadata.Get(encodingHeader) {
	case "":
	case "gzip":
		if b.Content, err = unpack(m.Payload); err != nil {
			return nil, fmt.Errorf("the record can't be unpacked: %w", err)
		}
	default:
		return nil, errors.New("the record is packed in a way that isn't known")
	}
	return b, nil
}

func unpack(packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err //nolint:wrapcheck // its caller says what it is of
	}
	content, err := io.ReadAll(io.LimitReader(z, maxBody+1))
	switch {
	case err != nil:
		return nil, err //nolint:wrapcheck // its caller says what it is of
	case len(content) > maxBody:
		return nil, fmt.Errorf("more than %d bytes", maxBody)
	}
	return content, nil
}

// of are the headers of a request that a mapping looks at: no credentials, and nothing that nobody asks for.
func headersOf(header http.Header, names []string) map[string]string {
	kept, size := map[string]string{}, 0
	for _, name := range append([]string{"content-type"}, names...) {
		value := header.Get(name)
		if size += len(name) + len(value); value != "" && size <= maxHeaders {
			kept[strings.ToLower(name)] = value
		}
	}
	return kept
}
