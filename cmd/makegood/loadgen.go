package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/simulator"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/wire"
)

type loadgenCommand struct {
	Seed       uint64    `help:"Decides everything." default:"1"`
	Orders     int       `help:"How many orders; 0 goes on until stopped." default:"10000"`
	Days       int       `help:"Days that the orders are spread over; 0: 300 orders a day."`
	Start      time.Time `help:"When the simulated business begins (RFC 3339)." default:"2026-01-05T08:00:00Z"`
	Stores     int       `help:"How many stores." default:"4"`
	ErrorRate  float64   `help:"Share of orders that go wrong." default:"0.05"`
	Currencies []string  `help:"Dealt out to the stores." default:"USD"`
	Duplicates float64   `help:"Share of events that are sent twice." default:"0"`
	Disorder   int       `help:"Events held back to be shuffled." default:"0"`
	Rate       int       `help:"Events a second; 0 is as fast as can be." default:"0"`

	Truth string `help:"${truth}" type:"path"`

	Output  string   `help:"File for NDJSON; without any, or -, standard output." xor:"where"`
	To      string   `help:"URL of a gateway." xor:"where"`
	Brokers []string `help:"Kafka brokers to write to." xor:"where"`
	Prefix  string   `help:"Prefix of the topics." default:"makegood."`

	tokenFlags
	Kafka  server.KafkaFlags  `embed:"" prefix:"kafka-"`
	People server.PeopleFlags `embed:""`
}

// Run sends simulated events.
func (c *loadgenCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) error {
	config := simulator.Defaults()
	config.Seed, config.Start, config.Orders, config.Stores, config.ErrorRate, config.Currencies = c.Seed, c.Start,
		c.Orders, c.Stores, c.ErrorRate, c.Currencies
	config.Days = c.Days
	if c.Truth != "" {
		if config.Days == 0 {
			config.Days = 364
		}
		config.Story = simulator.StandardStory(&config)
	}
	simulation, err := simulator.New(config)
	if err != nil {
		return err
	}
	stream, err := simulator.Disturb(simulation.Next, c.Seed, c.Disorder, c.Duplicates)
	if err != nil {
		return err
	}
	sink, err := c.sink(ctx, logger, s)
	if err != nil {
		return err
	}
	start, sent := time.Now(), 0
	for {
		event, more := stream.Next()
		if !more || ctx.Err() != nil {
			break
		}
		if c.Rate > 0 {
			if ahead := time.Until(
				start.Add(time.Duration(sent) * time.Second / time.Duration(c.Rate))); ahead > 10*time.Millisecond {
				if err := sink.flush(); err != nil {
					return err
				}
				time.Sleep(ahead)
			}
		}
		if err := sink.add(&event); err != nil {
			return err
		}
		sent++
	}
	if err := sink.close(); err != nil {
		return err
	}
	if c.Truth != "" {
		if err := writeTruth(c.Truth, simulation.Truth()); err != nil {
			return err
		}
	}
	took := time.Since(start)
	fmt.Fprintf(s.Err, "%d events in %s: %.0f a second\n", sent, took.Round(time.Millisecond),
		float64(sent)/took.Seconds())
	return nil
}

func writeTruth(path string, t *simulator.Truth) error {
	text, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return fmt.Errorf("write what was planted: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write what was planted: %w", err)
	}
	return nil
}

// sink is where simulated events go.
type sink struct {
	add   func(*domain.Event) error
	flush func() error
	close func() error
}

func (c *loadgenCommand) sink(ctx context.Context, logger *slog.Logger, s terminal.Streams) (*sink, error) {
	switch {
	case len(c.Brokers) > 0:
		config, err := c.Kafka.Config(logger)
		if err != nil {
			return nil, err
		}
		config.Brokers, config.Logger = c.Brokers, logger
		privacy, err := c.People.Privacy(time.Now, logger)
		if err != nil {
			return nil, err
		}
		return kafkaSink(config, c.Prefix, privacy)
	case c.To != "":
		flags := booksFlags{To: c.To, tokenFlags: c.tokenFlags}
		books, _, err := flags.open(ctx, logger, s)
		if err != nil {
			return nil, err
		}
		return httpSink(ctx, books), nil
	case c.Output != "" && c.Output != "-":
		f, err := os.Create(c.Output)
		if err != nil {
			return nil, err
		}
		return lineSink(f, f.Close), nil
	default:
		return lineSink(s.Out, func() error { return nil }), nil
	}
}

func lineSink(w io.Writer, done func() error) *sink {
	buffered := bufio.NewWriterSize(w, 1<<20)
	var line []byte
	return &sink{
		add: func(e *domain.Event) error {
			line = append(wire.AppendEvent(line[:0], e), '\n')
			_, err := buffered.Write(line)
			return err
		},
		flush: buffered.Flush,
		close: func() error {
			if err := buffered.Flush(); err != nil {
				return err
			}
			return done()
		},
	}
}

func httpSink(ctx context.Context, books *client) *sink {
	out := newSender(ctx, books, nil)
	var event []byte
	return &sink{
		add: func(e *domain.Event) error {
			event = wire.AppendEvent(event[:0], e)
			return out.add(ctx, event, e.Stream() == domain.Books, e.ID)
		},
		flush: out.flush,
		close: func() error {
			err := out.wait(ctx)
			if err == nil && out.refused > 0 {
				return fmt.Errorf("%d events were refused, the first: %s", out.refused, out.refusals[0])
			}
			return err
		},
	}
}

// kafkaSink writes to the topics themselves. No gateway hides people there, so it does.
func kafkaSink(config kafka.Config, prefix string, privacy *wire.Privacy) (*sink, error) {
	publisher, err := kafka.NewPublisher(kafka.PublisherConfig{Config: config})
	if err != nil {
		return nil, err
	}
	waiting := map[domain.Stream][]*message.Message{}
	count := 0
	flush := func() error {
		for _, stream := range []domain.Stream{domain.Books, domain.Orders, domain.Errors, domain.Redeliveries} {
			if len(waiting[stream]) == 0 {
				continue
			}
			if err := publisher.Publish(prefix+stream.String(), waiting[stream]...); err != nil {
				return err
			}
			waiting[stream] = nil
		}
		count = 0
		return nil
	}
	decoder := wire.Decoder{Privacy: privacy}
	return &sink{
		add: func(e *domain.Event) error {
			event := wire.AppendEvent(nil, e)
			if _, err := decoder.Structured(event); err != nil {
				return fmt.Errorf("event %s of %s: %w", e.ID, e.Source, err)
			}
			m := message.NewMessage("", slices.Clone(decoder.Hidden(event)))
			m.Metadata.Set("content-type", "application/cloudevents+json")
			m.Metadata.Set(kafka.PartitionKey, e.Subject())
			stream := e.Stream()
			waiting[stream] = append(waiting[stream], m)
			if count++; count >= 2000 || stream == domain.Books {
				return flush()
			}
			return nil
		},
		flush: flush,
		close: func() error {
			if err := flush(); err != nil {
				return err
			}
			return publisher.Close()
		},
	}, nil
}
