package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/go-faster/jx"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
	"github.com/makegood/makegood/projections/ledger"
)

// request is one request's events on their way.
type request struct {
	*Events
	ctx        context.Context //nolint:containedctx // that of the request
	room       *reservation
	decoder    *wire.Decoder
	grant      *Grant
	messages   []message.Message // made at once for a batch, to be used
	byStream   [domain.Books + 1][]*message.Message
	count      int // good events
	dropped    int // members and attributes of them that aren't kept
	errors     []EventError
	overloaded bool
}

// single takes the one event that the body is, or in binary mode (with attributes) the data of.
func (q *request) single(body []byte, attrs *wire.Attributes) *Problem {
	var refused *wire.Error
	if attrs != nil {
		refused = q.binary(body, attrs)
	} else {
		refused = q.structured(0, body)
	}
	if refused == nil {
		return nil
	}
	switch {
	case refused.NotCloudEvent:
		p := NewProblem(http.StatusBadRequest, ProblemNoCloudEvent, "no CloudEvent: %s", refused.Detail)
		p.More = map[string]any{"errors": q.errors}
		return p
	case refused.Code == wire.CodeEventTooLarge:
		return NewProblem(http.StatusRequestEntityTooLarge, ProblemTooLarge, "%s", refused.Detail)
	case refused.Code == wire.CodeBadContentType && attrs != nil:
		return NewProblem(http.StatusUnsupportedMediaType, ProblemUnsupported, "%s", refused.Detail)
	case refused.Code == CodeForbiddenSource, refused.Code == CodeForbiddenType:
		p := NewProblem(http.StatusForbidden, ProblemForbidden, "%s", refused.Detail)
		p.More = map[string]any{"errors": q.errors}
		return p
	default:
		return q.invalid()
	}
}

// batch takes the events of a JSON array. What an element is wrong with concerns that one alone; a body that isn't an
// array is none.
func (q *request) batch(body []byte) *Problem {
	bad := func(err error) *Problem {
		return NewProblem(http.StatusBadRequest, ProblemNoCloudEvent,
			"no batch of CloudEvents: the body is not a JSON array: %v", err)
	}
	d := jx.DecodeBytes(body)
	elements, err := split(d, q.cfg.MaxBatch)
	switch {
	case errors.Is(err, errBatchTooLong):
		return NewProblem(http.StatusRequestEntityTooLarge, ProblemTooLarge, "a batch has at most %d events", q.cfg.MaxBatch)
	case err != nil:
		return bad(err)
	}
	if !q.room.take(int64(len(elements)) * messageCost) {
		q.overloaded = true
		return nil
	}
	q.messages = make([]message.Message, len(elements))
	for i, element := range elements {
		q.structured(i, element)
	}
	return nil
}

var (
	errBatchTooLong = errors.New("too many events")
	errTrailing     = errors.New("there is something behind its end")
)

// split cuts an array into its elements.
func split(d *jx.Decoder, most int) ([][]byte, error) {
	array, err := d.ArrIter()
	if err != nil {
		return nil, fmt.Errorf("reading the array: %w", err)
	}
	var elements [][]byte
	for array.Next() {
		if len(elements) == most {
			return nil, errBatchTooLong
		}
		raw, err := d.Raw()
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", len(elements), err)
		}
		elements = append(elements, bytes.TrimSpace(raw))
	}
	if err := array.Err(); err != nil {
		return nil, fmt.Errorf("behind event %d: %w", len(elements)-1, err)
	}
	if err := d.Skip(); !errors.Is(err, io.EOF) {
		return nil, errTrailing
	}
	return elements, nil
}

// structured reads an event and keeps it, but for what may not be kept of people.
func (q *request) structured(index int, payload []byte) *wire.Error {
	env, err := q.decoder.Structured(payload)
	if err == nil {
		payload = q.decoder.Hidden(payload)
		err = wire.CheckSize(payload, nil)
	}
	if refused := q.refused(index, env, err); refused != nil {
		return refused
	}
	m := q.message(payload, env)
	m.Metadata[wire.KafkaContentType] = wire.ContentTypeEvent
	q.keep(env, m)
	return nil
}

// binary reads an event whose attributes were headers, and keeps them as headers.
func (q *request) binary(data []byte, attrs *wire.Attributes) *wire.Error {
	env, err := q.decoder.Binary(attrs, data)
	if err == nil {
		data = q.decoder.Hidden(data)
		if q.cfg.Privacy != nil {
			q.cfg.Privacy.KeepExtensions(attrs)
		}
		err = wire.CheckSize(data, attrs)
	}
	if refused := q.refused(0, env, err); refused != nil {
		return refused
	}
	m := q.message(data, env)
	attrs.EachKafkaHeader(func(key, value string) { m.Metadata[key] = value })
	q.keep(env, m)
	return nil
}

func (q *request) keep(env *wire.Envelope, m *message.Message) {
	stream := env.Event.Stream()
	if name := q.grant.name(); name != "" && Audited(&env.Event) {
		m.Metadata[ledger.TokenHeader] = name
	}
	if env.Customer != "" {
		m.Metadata[ledger.CustomerHeader] = env.Customer
	}
	q.byStream[stream] = append(q.byStream[stream], m)
	q.count++
	q.dropped += q.decoder.Dropped()
}

// refused notes why an event can't be taken; nil if it can.
func (q *request) refused(index int, env *wire.Envelope, err error) *wire.Error {
	var refused *wire.Error
	switch {
	case errors.As(err, &refused):
	case err != nil:
		refused = &wire.Error{Code: wire.CodeBadJSON, Detail: err.Error()}
	default:
		if refused = q.grant.MaySend(&env.Event); refused == nil {
			return nil
		}
		q.forbidden.Add(1)
	}
	q.errors = append(q.errors, EventError{Index: index, Pointer: refused.Pointer, Code: refused.Code,
		Detail: refused.Detail})
	return refused
}

// publish hands all events over, one call per topic, and returns when all are acknowledged. Those of books go first: a
// rate that comes with the events that it is meant for is in force for them.
func (q *request) publish() error {
	if q.count == 0 {
		return nil
	}
	if books := q.byStream[domain.Books]; len(books) > 0 {
		if q.cfg.Ends != nil {
			ends, err := q.cfg.Ends(q.ctx)
			if err != nil {
				return fmt.Errorf("asking where the log ends: %w", err)
			}
			for _, m := range books {
				m.Metadata[EndsHeader] = ends
			}
		}
		if err := q.publishTo(domain.Books); err != nil {
			return err
		}
	}
	var group sync.WaitGroup
	var failures [domain.Books]error
	for stream := domain.Orders; stream < domain.Books; stream++ {
		if len(q.byStream[stream]) > 0 {
			group.Go(func() { failures[stream] = q.publishTo(stream) })
		}
	}
	group.Wait()
	return errors.Join(failures[:]...)
}

func (q *request) publishTo(stream domain.Stream) error {
	topic := q.cfg.TopicPrefix + stream.String()
	if err := q.cfg.Publisher.Publish(topic, q.byStream[stream]...); err != nil {
		return fmt.Errorf("publishing to %s: %w", topic, err)
	}
	return nil
}
