package server

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"

	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/tills/pipe"
	"github.com/makegood/makegood/infra/wire"
	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
)

// maxTillDetail bounds what a dead letter says, in bytes.
const maxTillDetail = 4 << 10

// tillLetters keeps the dead letters of a mapper. Those that come while others are being written are written together:
// a broken mapping makes one of every body, and ClickHouse wants few inserts.
type tillLetters struct {
	app *App

	mu      sync.Mutex
	waiting []waitingLetter
	writing bool
}

type waitingLetter struct {
	letter deadletter.Letter
	done   chan error
}

// refuse makes a record that no event can be made of a dead letter. The log holds the body, in which nobody can tell
// who is a person; what is kept says how long it is and its SHA-256, and its place leads to it.
func (l *tillLetters) refuse(ctx context.Context, m *message.Message, till string, why pipe.Refusal) error {
	position, _ := kafka.PositionOf(m)
	now := l.app.Now().UTC()
	private := l.app.privacy != nil
	d := deadletter.Letter{Topic: position.Topic, Partition: int32(position.Partition), Offset: position.Offset,
		Reason: why.Code, Detail: tillDetail(why, private), Pointer: tillPointer(why, private), EventID: why.EventID,
		FirstSeen: now, LastSeen: now, Key: keyOf(m), Headers: map[string]string{}, Payload: m.Payload}
	if till != "" {
		d.Source = gateway.TillSource + till
	}
	for name, value := range m.Metadata {
		if name != ledger.FirstHeader {
			d.Headers[name] = value
		}
	}
	d.Identify()
	if private {
		d.Headers[deadletter.PayloadBytes] = strconv.Itoa(len(d.Payload))
		d.Headers[deadletter.PayloadSHA256] = fmt.Sprintf("%x", sha256.Sum256(d.Payload))
		d.Payload = nil
	}
	return l.keep(ctx, d)
}

// tillPointer is where it is, without what the body says of people. Names in it may be the body's own and of any
// length, so it is cut off: a letter that is too large for the log would come again for ever.
func tillPointer(why pipe.Refusal, private bool) string {
	if private {
		why.Pointer = why.Named
	}
	return deadletter.ShortPointer(why.Pointer)
}

// tillDetail is why, without what the body says of people.
func tillDetail(why pipe.Refusal, private bool) string {
	pointer := why.Pointer
	why.Pointer = "" // it is told by itself
	text := why.String()
	if private {
		if pointer != "" { // the reason may contain it
			text = strings.ReplaceAll(text, pointer, why.Named)
		}
		text = wire.WithoutQuotes(text)
	}
	return strings.ToValidUTF8(text[:min(len(text), maxTillDetail)], "")
}

// keep returns when the letter is durable, or isn't.
func (l *tillLetters) keep(ctx context.Context, d deadletter.Letter) error {
	w := waitingLetter{d, make(chan error, 1)}
	l.mu.Lock()
	l.waiting = append(l.waiting, w)
	lead := !l.writing
	l.writing = true
	l.mu.Unlock()
	for lead {
		l.mu.Lock()
		all := l.waiting
		l.waiting, l.writing = nil, len(all) > 0
		lead = l.writing
		l.mu.Unlock()
		if len(all) > 0 {
			err := l.write(ctx, all)
			for i := range all {
				all[i].done <- err
			}
		}
	}
	return <-w.done
}

func (l *tillLetters) write(ctx context.Context, all []waitingLetter) error {
	letters, messages := make([]deadletter.Letter, len(all)), make([]*message.Message, len(all))
	for i := range all {
		letters[i] = all[i].letter
		messages[i] = letters[i].Message()
		messages[i].SetContext(ctx)
	}
	if err := l.app.Publisher.Publish(l.app.Config.Prefix+deadletter.Topic, messages...); err != nil {
		return fmt.Errorf("tell of dead letters: %w", err)
	}
	return deadletter.Keep(ctx, l.app.Store.DB, letters)
}
