package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// guardedListener and guardedConn stand before kfake, which trusts its clients
// more than a process that keeps books can:
//   - it allocates whatever size a connection's first four bytes claim, and
//     panics on a request of an unknown kind: either takes the whole process
//     down when, say, a browser finds the port;
//   - it stamps a batch that is marked as having the log's time without
//     renewing the batch's checksum, and takes the batch and everything after
//     it for a torn tail at the next start. No producer should send that mark
//     (Kafka refuses it too), but one that does must not cost others' records.
type guardedListener struct {
	net.Listener
	log    *slog.Logger
	guests *guests
}

func (l guardedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // kfake only stops on it, and net's error says it all
	}
	l.guests.add(c, 1)
	return &guardedConn{Conn: c, log: l.log, guests: l.guests}, nil
}

type guardedConn struct {
	net.Conn
	log     *slog.Logger
	header  [requestHeaderBytes]byte // the part of a request read ahead to judge it
	produce []byte                   // a produce request, which is judged as a whole
	pending []byte                   // what was read ahead and is still to be handed on
	left    int                      // what of the request is still to come after it
	guests  *guests
	gone    sync.Once
}

// Close is also called when the client has hung up.
func (c *guardedConn) Close() error {
	c.gone.Do(func() { c.guests.add(c.Conn, -1) })
	return c.Conn.Close() //nolint:wrapcheck // net's error says it all
}

const (
	// requestHeaderBytes are a request's size, kind and version, before its
	// correlation id.
	requestHeaderBytes = 4 + 2 + 2

	batchAttributesAt = 21 // where a record batch has its attributes, 2 bytes
	logAppendTime     = 1 << 3
)

var errNotKafka = errors.New("not a Kafka request")

func (c *guardedConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(c.pending) == 0 && c.left == 0 {
		if err := c.judge(); err != nil {
			return 0, err
		}
	}
	if len(c.pending) > 0 {
		n := copy(p, c.pending)
		c.pending = c.pending[n:]
		return n, nil
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err //nolint:wrapcheck // io.EOF must stay io.EOF
}

// judge reads the beginning of the next request. An error makes kfake hang up.
func (c *guardedConn) judge() error {
	if _, err := io.ReadFull(c.Conn, c.header[:]); err != nil {
		return err //nolint:wrapcheck // io.EOF must stay io.EOF
	}
	size := int64(binary.BigEndian.Uint32(c.header[:4]))
	kind := int16(binary.BigEndian.Uint16(c.header[4:6]))
	if size < requestHeaderBytes || size > maxRequestBytes || kmsg.RequestForKey(kind) == nil {
		err := fmt.Errorf("%w: size %d, kind %d", errNotKafka, size, kind)
		c.log.Warn("broker hangs up", "client", c.RemoteAddr(), "reason", err)
		return err
	}
	c.left = int(size) - (requestHeaderBytes - 4)
	if kmsg.Key(kind) != kmsg.Produce {
		c.pending = c.header[:]
		return nil
	}
	c.produce = slices.Grow(append(c.produce[:0], c.header[:]...), c.left)[:requestHeaderBytes+c.left]
	if _, err := io.ReadFull(c.Conn, c.produce[requestHeaderBytes:]); err != nil {
		return err //nolint:wrapcheck // as above
	}
	if stamped(c.produce) {
		err := errors.New("a produce request with batches that claim the log's own time")
		c.log.Warn("broker hangs up", "client", c.RemoteAddr(), "reason", err)
		return err
	}
	c.pending, c.left = c.produce, 0
	return nil
}

// stamped tells whether a produce request has a batch with the mark for the
// log's time. A request that can't be read is left to kfake to refuse.
func stamped(request []byte) bool {
	r := kbin.Reader{Src: request[4:]}
	_ = r.Int16() // the kind, known
	req := kmsg.NewPtrProduceRequest()
	req.SetVersion(r.Int16())
	_, _ = r.Int32(), r.NullableString() // correlation id, client id
	if req.IsFlexible() {
		kmsg.SkipTags(&r)
	}
	if req.ReadFrom(r.Src) != nil {
		return false
	}
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			if b := p.Records; len(b) >= batchAttributesAt+2 &&
				binary.BigEndian.Uint16(b[batchAttributesAt:])&logAppendTime != 0 {
				return true
			}
		}
	}
	return false
}
