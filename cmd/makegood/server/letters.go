package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/wire"
	"github.com/makegood/makegood/infra/wire/decode"
	"github.com/makegood/makegood/projections/deadletter"
	"github.com/makegood/makegood/projections/ledger"
	"github.com/makegood/makegood/projections/post"
)

// Replay puts on record who does it, sends the dead letter's bytes to the topic that they came from, and takes it off
// the list, in this order: whatever ends half-way leaves the dead letter open, and is done again.
func (b Books) Replay(ctx context.Context, id string, by gateway.Actor) error {
	d, err := deadletter.Read(ctx, b.Store.Reports, id)
	if err != nil {
		return err
	}
	if err := d.Replayable(); err != nil {
		return err
	}
	at := b.Now().UTC()
	m, err := b.again(ctx, d)
	if err != nil {
		return err
	}
	m.Metadata.Set(kafka.PartitionKey, d.Key)
	if d.Topic == b.Config.tillsTopic() && d.Key == "" { // of an earlier version
		m.Metadata.Set(kafka.PartitionKey, bodyKey(m))
	}
	m.Metadata.Set(ledger.FirstHeader, ledger.FormatFirst(d.Partition, d.Offset))
	if d.Topic == b.Config.Topic(domain.Books) {
		ends, err := b.Ends(ctx)
		if err != nil {
			return err
		}
		m.Metadata.Set(ledger.EndsHeader, ends)
	}
	if err := b.PutOnRecord(ctx, d, domain.TypeDeadLetterReplayed,
		&domain.DeadLetterReplayed{HandledLetter: HandledLetter(d, by)}, by); err != nil {
		return err
	}
	if err := b.Publisher.Publish(d.Topic, m); err != nil {
		return fmt.Errorf("send the dead letter again: %w", err)
	}
	// Noted as it was when it was read: should the replay fail for the same reason, it is seen again further on in
	// the log than that, and open again.
	return deadletter.Note(ctx, b.Store.DB, d, deadletter.Replayed, by.Name, at)
}

// again is the record that a dead letter is of, to be sent again: from the log, since the letter is kept without
// what may say something of people. Where it can be read by now, people are hidden in it; where it can't, it says
// no more than the log holds already. The letter itself is sent where the log has its record no more.
func (b Books) again(ctx context.Context, d *deadletter.Letter) (*message.Message, error) {
	sent, err := b.held(ctx, d)
	if err != nil {
		return nil, err
	}
	if sent == nil {
		if d.Headers[deadletter.PayloadSHA256] != "" {
			return nil, &deadletter.NoReplayError{Reason: deadletter.Gone}
		}
		sent = &post.Original{Headers: d.Headers, Payload: d.Payload}
	} else if _, err := decode.Log()(message.Metadata(sent.Headers), sent.Payload); err == nil {
		b.hide(sent)
	}
	m := message.NewMessage("", sent.Payload)
	for k, v := range sent.Headers {
		m.Metadata.Set(k, v)
	}
	return m, nil
}

// held is the record that a dead letter is of, as the log holds it; nil where the log has it no more. Where the first
// record of it is gone, a later one may still be there.
func (b Books) held(ctx context.Context, d *deadletter.Letter) (*post.Original, error) {
	for _, offset := range d.Places() {
		if o, err := b.heldAt(ctx, d, offset); o != nil || err != nil {
			return o, err
		}
	}
	return nil, nil
}

func (b Books) heldAt(ctx context.Context, d *deadletter.Letter, offset int64) (*post.Original, error) {
	r, there, err := b.Admin.Record(ctx, kafka.TopicPartition{Topic: d.Topic, Partition: int(d.Partition)}, offset)
	if err != nil {
		return nil, fmt.Errorf("read what the dead letter is of: %w", err)
	}
	if !there {
		return nil, nil
	}
	o := &post.Original{Payload: r.Value, Headers: map[string]string{}}
	for _, h := range r.Headers {
		if h.Key != ledger.FirstHeader { // it is ours, not its sender's
			o.Headers[h.Key] = string(h.Value)
		}
	}
	same := deadletter.Letter{Topic: d.Topic, Key: string(r.Key), Headers: o.Headers, Payload: o.Payload}
	if !same.Is(d) {
		return nil, nil
	}
	return o, nil
}

// DeadLetter is one with its payload. One that is kept without it is shown as the log holds it, while it does.
func (b Books) DeadLetter(ctx context.Context, id string) (*deadletter.Letter, error) {
	d, err := deadletter.Read(ctx, b.Store.Reports, id)
	if err != nil || d.Headers[deadletter.PayloadSHA256] == "" {
		return d, err
	}
	held, err := b.held(ctx, d)
	if held != nil {
		d.Payload = held.Payload
	}
	return d, err
}

// Discard puts on record that somebody decided to do nothing about a dead letter, and takes it off the list.
func (b Books) Discard(ctx context.Context, id string, by gateway.Actor) error {
	d, err := deadletter.Read(ctx, b.Store.Reports, id)
	if err != nil {
		return err
	}
	if err := b.PutOnRecord(ctx, d, domain.TypeDeadLetterDiscarded,
		&domain.DeadLetterDiscarded{HandledLetter: HandledLetter(d, by)}, by); err != nil {
		return err
	}
	return deadletter.Note(ctx, b.Store.DB, d, deadletter.Discarded, by.Name, b.Now().UTC())
}

func HandledLetter(d *deadletter.Letter, by gateway.Actor) domain.HandledLetter {
	whole := func(n int64) domain.Optional { return domain.Some(domain.Decimal(n) * 1_000_000) } // which are millionths
	return domain.HandledLetter{DeadLetterID: d.ID, Topic: d.Topic, Partition: whole(int64(d.Partition)),
		Offset: whole(d.Offset), Actor: by.Name, Reason: by.Reason}
}

// PutOnRecord writes to the books stream what is done about a dead letter. The same done again by the same person
// to the dead letter as it was last seen is the same event: what is on record already isn't written again, since a
// second telling would have another time, and so be a conflict.
func (b Books) PutOnRecord(ctx context.Context, d *deadletter.Letter, kind domain.Type, data domain.Data,
	by gateway.Actor) error {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %q", kind, d.Seen(), by.Name))
	e := domain.Event{Source: gateway.OwnSource, ID: "deadletter-" + hex.EncodeToString(sum[:16]), Type: kind,
		Time: b.Now().UTC(), Data: data}
	if err := b.Terms.CatchUp(ctx); err != nil {
		return err
	}
	if b.Terms.Dealt(e.Source, e.ID) {
		return nil
	}
	if err := b.publishBooks(ctx, wire.AppendEvent(nil, &e), by.Token); err != nil {
		return fmt.Errorf("put %s of %s on record: %w", kind, d.ID, err)
	}
	return nil
}

// publishBooks writes an event of makegood's own to the books stream, with where the other streams end now, and the
// name of the token that asked for it, if any.
func (a *App) publishBooks(ctx context.Context, event []byte, token string) error {
	ends, err := a.Ends(ctx)
	if err != nil {
		return err
	}
	m := message.NewMessage("", event)
	m.Metadata.Set(wire.KafkaContentType, wire.ContentTypeEvent)
	m.Metadata.Set(ledger.EndsHeader, ends)
	if token != "" {
		m.Metadata.Set(ledger.TokenHeader, token)
	}
	return a.Publisher.Publish(a.Config.Topic(domain.Books), m)
}

// smallerLetter is what is sent where a dead letter is too large for the log: booking must never stand still for it.
func (a *App) smallerLetter(topic string, m *message.Message) *message.Message {
	if topic != a.Config.Prefix+deadletter.Topic {
		return nil
	}
	a.logger.Warn("a dead letter is sent without its payload: the log doesn't take it whole",
		"of", m.Metadata.Get("makegood_topic"), "partition", m.Metadata.Get("makegood_partition"),
		"offset", m.Metadata.Get("makegood_offset"), "bytes", len(m.Payload))
	return deadletter.Shrink(m)
}
