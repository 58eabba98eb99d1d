package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/http/access"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/prometheus"
	"github.com/makegood/makegood/infra/tills/pipe"
	"github.com/makegood/makegood/projections/report"
)

// Groups of consumers, after the prefix of the topics: what they have committed is mapped, whoever books it.
const (
	mapperGroup = "mapper"
	copierGroup = "till-topics"
)

// tillsTopic holds what tills sent, as it came.
func (c *Config) tillsTopic() string { return c.Prefix + pipe.Topic }

// openTills reads the tills file. Without one, nothing of tills is taken in.
func (a *App) openTills(ctx context.Context) (err error) {
	if a.Config.Tills == "" {
		return nil
	}
	if a.tills, err = pipe.Open(pipe.TillsConfig{File: a.Config.Tills, OwnTopics: a.Config.Prefix, Load: pipe.LoadMapping,
		ReadSecret: access.ReadSecret,
		Now:        a.Now, Logger: a.logger}); err != nil {
		return fmt.Errorf("--tills: %w", err)
	}
	prometheus.WatchAccessFile(a.metrics, "tills", func() bool { return a.tills.Problem() != "" })
	prometheus.WatchTills(a.metrics, func(each func(string, prometheus.TillCounts)) {
		a.tills.Each(func(t *pipe.Till, c *pipe.Counts) {
			each(t.Name, prometheus.TillCounts{Received: c.Received.Load(), Unsigned: c.Unsigned.Load(), Mapped: c.Mapped.Load(),
				Events: c.Events.Load(), Nothing: c.Nothing.Load(), Refused: c.Refused.Load(), Last: c.LastReceived.Load(),
				Aside: t.RefusedFiles()})
		})
	})
	a.background(ctx, withoutError(a.tills.Watch))
	return nil
}

// intake is what takes events in: of the gateway, and of the mapper.
func (a *App) intake() (*gateway.Events, error) {
	if a.events != nil {
		return a.events, nil
	}
	config := gateway.EventsConfig{Publisher: a.Publisher, TopicPrefix: a.Config.Prefix, PartitionKey: kafka.PartitionKey,
		Ends: a.Ends, Privacy: a.privacy, Logger: a.logger}
	a.Config.Limits.Events(&config)
	var err error
	if a.events, err = gateway.NewEvents(config); err != nil {
		return nil, err
	}
	prometheus.WatchGateway(a.metrics,
		func() prometheus.GatewayCounts { return prometheus.GatewayCounts(a.events.Counts()) })
	return a.events, nil
}

// startMapper maps what tills sent, watches their folders, and copies their topics.
func (a *App) startMapper(ctx context.Context) error {
	if a.tills == nil {
		return nil
	}
	events, err := a.intake()
	if err != nil {
		return err
	}
	send := func(ctx context.Context, till string, made [][]byte) error {
		return a.sendMade(ctx, events, till, made)
	}
	letters := &tillLetters{app: a}
	subscriber, err := kafka.NewSubscriber(a.mapperConfig(mapperGroup))
	if err != nil {
		return err
	}
	a.OnClose(subscriber.Close)
	a.stillMapping = subscriber.StandingStill
	mapper := pipe.NewMapper(pipe.MapperConfig{Tills: a.tills, Topic: a.Config.tillsTopic(), Send: send,
		Keep: a.keepBody, Refuse: letters.refuse, Logger: a.logger})
	backfill := pipe.BackfillConfig{Tills: a.tills, Dir: filepath.Join(a.Config.DataDir, "tills"),
		Keep: a.keepBody, Now: a.Now, Logger: a.logger}
	topics := pipe.CopyConfig{Tills: a.tills, Topic: a.Config.tillsTopic(), To: bodyPublisher{a.Publisher},
		From:   func() (message.Subscriber, error) { return kafka.NewSubscriber(a.mapperConfig(copierGroup)) },
		Refuse: letters.refuse, Key: keyOf, Now: a.Now, Logger: a.logger}
	folders := pipe.NewFolders(pipe.FolderConfig{Tills: a.tills, Send: send, Now: a.Now, Logger: a.logger})
	a.background(ctx,
		func(ctx context.Context) error { return mapper.Run(ctx, subscriber) },
		withoutError(func(ctx context.Context) { pipe.Backfill(ctx, backfill) }),
		func(ctx context.Context) error { return pipe.Copy(ctx, topics) },
		withoutError(folders.Run),
		withoutError(a.expireBodies))
	return nil
}

// bodyKey is the key of a body's record. With it all records of one body are in one partition, so that the body's dead
// letter, which names one partition, leads to each of them.
func bodyKey(record *message.Message) string {
	return fmt.Sprintf("%x", sha256.Sum256(record.Payload))[:16]
}

// bodyPublisher publishes records of bodies.
type bodyPublisher struct{ message.Publisher }

// Publish gives each its key.
func (p bodyPublisher) Publish(topic string, records ...*message.Message) error {
	for _, record := range records {
		record.Metadata.Set(kafka.PartitionKey, bodyKey(record))
	}
	return p.Publisher.Publish(topic, records...) //nolint:wrapcheck // its callers say what it is of
}

// keepBody makes a body durable.
func (a *App) keepBody(_ context.Context, record *message.Message) error {
	if err := (bodyPublisher{a.Publisher}).Publish(a.Config.tillsTopic(), record); err != nil {
		return fmt.Errorf("keep a body: %w", err)
	}
	return nil
}

// mapperConfig bounds what a mapper holds: bodies are larger than events, and each that is in flight is a goroutine.
func (a *App) mapperConfig(group string) kafka.SubscriberConfig {
	return kafka.SubscriberConfig{Config: a.kafkaConfig(), Group: a.Config.Prefix + group, MaxInFlight: 256,
		MaxInFlightBytes: 4 << 20, Buffer: 64, FetchMaxWait: 250 * time.Millisecond, CommitInterval: 100 * time.Millisecond,
		NackDelay: 100 * time.Millisecond, MaxNackDelay: 5 * time.Second}
}

// sendMade publishes events that were made of what a till sent, as a token of the till's could.
func (a *App) sendMade(ctx context.Context, events *gateway.Events, till string, made [][]byte) error {
	grant := &gateway.Grant{Name: "till " + till, Scopes: []gateway.Scope{gateway.Write},
		Sources: []string{gateway.TillSource + till}}
	faults, err := events.Send(ctx, grant, made)
	if failed, is := errors.AsType[*kafka.PublishError](err); is && failed.Permanent() {
		return &pipe.Refused{Refusals: []pipe.Refusal{{Code: "not_taken", Reason: failed.Error()}}}
	}
	if err != nil {
		return fmt.Errorf("publish the events of till %s: %w", till, err)
	}
	if len(faults) == 0 {
		return nil
	}
	refused := &pipe.Refused{}
	for _, f := range faults { // all names in the pointer are the contract's: the mapper lets no others through
		refused.Refusals = append(refused.Refusals, pipe.Refusal{Code: f.Code, Place: fmt.Sprintf("event %d", f.Index),
			Pointer: f.Pointer, Named: f.Pointer, Reason: f.Detail})
	}
	return refused
}

// takenTills makes Tills what the gateway asks.
type takenTills struct{ *App }

// Find says whether there is such a till, and whether its senders sign.
func (t takenTills) Find(name string) (known, signed bool) {
	if t.tills == nil {
		return false, false
	}
	return t.tills.Find(name)
}

// Keep verifies the sender and makes what they sent durable.
func (t takenTills) Keep(ctx context.Context, d *gateway.Delivery) error {
	body, err := t.tills.Verify(d.Till, d.Kind, &pipe.Request{URL: d.URL, Header: d.Header, Body: d.Body})
	if wrong, is := errors.AsType[*pipe.VerifyError](err); is {
		return &gateway.SignatureError{Reason: wrong.Reason}
	}
	if errors.Is(err, pipe.ErrTrial) {
		return gateway.ErrTrial
	}
	if err != nil {
		return err
	}
	record, err := body.Record()
	if errors.Is(err, pipe.ErrTooLarge) {
		return &gateway.TooLargeError{Most: pipe.MaxStored}
	}
	if err != nil {
		return err
	}
	record.SetContext(ctx)
	if err := t.keepBody(ctx, record); err != nil {
		return fmt.Errorf("till %s: %w", d.Till, err)
	}
	t.tills.Kept(body)
	return nil
}

// Tills are those of the tills file, and how it goes with them.
func (b Books) Tills(ctx context.Context) ([]gateway.TillStatus, error) {
	all := []gateway.TillStatus{}
	if b.tills == nil {
		return all, nil
	}
	var sources []string
	b.tills.Each(func(t *pipe.Till, _ *pipe.Counts) { sources = append(sources, gateway.TillSource+t.Name) })
	booked, err := report.ReadSources(ctx, b.Store.Reports, sources)
	if err != nil {
		return nil, err
	}
	waiting, err := b.tillsWaiting(ctx)
	if err != nil {
		return nil, err
	}
	problem := b.tills.Problem()
	b.tills.Each(func(t *pipe.Till, c *pipe.Counts) {
		s := booked[gateway.TillSource+t.Name]
		till := gateway.TillStatus{Name: t.Name, Mapping: t.Mapping, Events: s.Events,
			Refused: s.DeadLetters + uint64(t.RefusedFiles()), Waiting: waiting, Problem: problem}
		last := s.LastRecorded
		if came := c.LastReceived.Load(); came > last.UnixMilli() {
			last = time.UnixMilli(came)
		}
		if last.Unix() > 0 {
			last = last.UTC()
			till.LastSeen = &last
		}
		all = append(all, till)
	})
	return all, nil
}

// tillsWaiting is how many bodies are kept and not mapped.
func (a *App) tillsWaiting(ctx context.Context) (int64, error) {
	progress, err := a.tillsProgress(ctx)
	var waiting int64
	for _, p := range progress {
		waiting += max(p.End-p.Booked, 0)
	}
	return waiting, err
}

// tillsProgress compares what is kept with what is mapped.
func (a *App) tillsProgress(ctx context.Context) ([]prometheus.Progress, error) {
	if a.tills == nil {
		return nil, nil
	}
	return a.progressOf(ctx, a.Config.Prefix+mapperGroup, a.Config.tillsTopic())
}
