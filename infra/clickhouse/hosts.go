package clickhouse

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/ClickHouse/ch-go"
	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
)

// hosts are the servers, each of which has all of the books, and the current one, which this process works with: all
// its connections go there, so that it reads what it wrote. When that one doesn't answer, the process goes on at the
// next one, and stays there. The time that it works with one server is a turn.
type hosts struct {
	mu   sync.Mutex
	all  []string
	at   int
	turn uint64 // how often the process went on; a failure that was seen in an earlier turn doesn't move it again
}

func newHosts(all []string) *hosts { return &hosts{all: slices.Clone(all)} }

// now is the current server.
func (h *hosts) now() (addr string, turn uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all[h.at], h.turn
}

// next goes on to the next server, unless somebody did since turn. It returns false where there is no other one.
func (h *hosts) next(turn uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.all) == 1 {
		return false
	}
	if h.turn == turn {
		h.at = (h.at + 1) % len(h.all)
		h.turn++
	}
	return true
}

// add adds servers that aren't among them yet.
func (h *hosts) add(more []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, addr := range more {
		if !slices.Contains(h.all, addr) {
			h.all = append(h.all, addr)
		}
	}
}

func (h *hosts) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.all)
}

// Codes of a server that has waited too long, and of one that has lost its Keeper: another server may still have it.
const (
	codeTimeout       = 159
	codeTableReadOnly = 242
	codeKeeper        = 999
)

func withoutKeeper(code int32) bool { return code == codeTableReadOnly || code == codeKeeper }

// isUnreachable reports whether an error says that the server is gone, can't work or is not the current one any more,
// rather than that it refuses or is slow. The error of a context that has ended looks like a network's: whoever asks
// looks at the context first.
func isUnreachable(err error) bool {
	if err == nil {
		return false
	}
	if errors.Is(err, errNoKeeper) || errors.Is(err, errMoved) {
		return true
	}
	if _, is := errors.AsType[*BehindError](err); is {
		return true
	}
	if _, is := errors.AsType[*EmptyError](err); is {
		return true
	}
	if said, is := errors.AsType[*clickhousego.Exception](err); is {
		return withoutKeeper(said.Code)
	}
	if said, is := ch.AsException(err); is {
		return withoutKeeper(int32(said.Code))
	}
	if of, is := errors.AsType[*net.OpError](err); is && of.Op == "dial" {
		return true
	}
	for _, sign := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNREFUSED, syscall.ECONNRESET,
		syscall.EPIPE, syscall.ETIMEDOUT} { // keepalive ends a connection with the last one
		if errors.Is(err, sign) {
			return true
		}
	}
	of, is := errors.AsType[net.Error](err)
	return is && !of.Timeout()
}

func isTimeout(err error) bool {
	of, is := errors.AsType[net.Error](err)
	return is && of.Timeout()
}

// isOver reports whether a context has ended. The network may notice its deadline first.
func isOver(ctx context.Context) bool {
	deadline, is := ctx.Deadline()
	return ctx.Err() != nil || is && !time.Now().Before(deadline)
}

// isGone reports whether an error says that the server at an address is gone, so that another one may be asked. A
// statement that takes too long is not a reason: it would take as long at each of them. But a server that stands still
// is silent, too, so after a timeout the server is asked for a new connection.
func (s *Store) isGone(ctx context.Context, addr string, err error) bool {
	if err == nil || s.cluster == "" || isOver(ctx) {
		return false
	}
	return isUnreachable(err) || isTimeout(err) && !s.answers(ctx, addr) && !isOver(ctx)
}

// answers reports whether a server takes a new connection, or says why not.
func (s *Store) answers(ctx context.Context, addr string) bool {
	limited, cancel := context.WithTimeout(ctx, s.options.DialTimeout)
	defer cancel()
	c, err := s.dialWith(limited, addr, s.secret.now())
	if err != nil {
		_, says := ch.AsException(err)
		return says
	}
	_ = c.Close() // it has answered
	return true
}
