package post

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
)

// What comes after an erasure is of somebody new, but for a copy of what came before: a till that repeats what it sent
// says nothing new, and its copy, which loses, would keep the hash until ClickHouse merges it away. So what names
// somebody who was erased before it came is looked up in the ledger, and in what this process has posted and not yet
// landed. That is rare.

// copied is a message that may be a copy of an event from before an erasure.
type copied struct {
	message *message.Message
	event   erasedEvent
}

type erasedEvent struct {
	order string
	domain.Identity
}

func copyOf(m *message.Message, e *domain.Event) copied {
	return copied{m, erasedEvent{strings.Clone(e.OrderID),
		domain.Identity{Source: strings.Clone(e.Source), ID: strings.Clone(e.ID)}}}
}

// placesOfCopied are the places of the first copies of events, as far as there are any, and all of the messages.
func (p *Projector) placesOfCopied(ctx context.Context, all []copied) ([]*message.Message,
	map[*message.Message]domain.Position, error) {
	messages, places := make([]*message.Message, 0, len(all)), map[*message.Message]domain.Position{}
	for _, c := range all {
		messages = append(messages, c.message)
		err := p.retryWhole(ctx, "look for what came before an erasure", p.place(messages),
			func(ctx context.Context) error {
				at, is, err := p.firstPlace(ctx, c.event)
				if is {
					places[c.message] = at
				}
				return err
			})
		if err != nil {
			return nil, nil, err
		}
	}
	return messages, places, nil
}

// firstPlace is where the first copy of an event stands that is posted.
func (p *Projector) firstPlace(ctx context.Context, of erasedEvent) (at domain.Position, is bool, err error) {
	p.posting.Lock()
	at, is = p.erasedEvents[of]
	p.posting.Unlock()
	if is {
		return at, true, nil
	}
	var stream string
	err = p.db.QueryRow(ctx, `SELECT toString(stream), partition, offset, recorded_at FROM ledger
WHERE order_id = ? AND source = ? AND event_id = ? ORDER BY version DESC LIMIT 1`, of.order, of.Source, of.ID).
		Scan(&stream, &at.Partition, &at.Offset, &at.Time)
	if errors.Is(err, sql.ErrNoRows) {
		return at, false, nil
	}
	if err != nil {
		return at, false, fmt.Errorf("look for the event %s of %s: %w", of.ID, of.Source, err)
	}
	at.Stream = domain.ParseStream(stream)
	return at, true, nil
}
