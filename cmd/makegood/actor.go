package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os/user"
	"strings"
	"time"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	gateway "github.com/makegood/makegood/infra/http"
)

// actorFlags say who changes the books and why. Both ride along in the data of the event that is the change.
type actorFlags struct {
	Actor  string `help:"Who does this; the user of the operating system where nobody is named."`
	Reason string `help:"${reason}"`
}

// actorSource is the source of the events that people cause on the command line.
const actorSource = "urn:makegood:cli"

func (f *actorFlags) actor() string {
	if f.Actor != "" {
		return f.Actor
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

// why is the reason for the record, which is never empty.
func (f *actorFlags) why() string {
	if reason := strings.TrimSpace(f.Reason); reason != "" {
		return reason
	}
	return gateway.NoReason
}

// askWhy asks for the reason where none was given, until there is one, or the input ends: a script that says yes and
// nothing else has none.
func (f *actorFlags) askWhy(ctx context.Context, s terminal.Streams, question string) error {
	for strings.TrimSpace(f.Reason) == "" {
		answer, err := s.Answer(ctx, question)
		if ctx.Err() != nil {
			return errNotDone
		}
		f.Reason = answer
		if err != nil {
			return nil
		}
	}
	return nil
}

// agree asks for the word yes, unless it was given by --yes.
func agree(ctx context.Context, s terminal.Streams, yes bool, question string) error {
	if yes || ask(ctx, s, question) {
		return nil
	}
	return errNotDone
}

// decide asks whether to do something, and why, unless --yes says to.
func (f *actorFlags) decide(ctx context.Context, s terminal.Streams, yes bool, question, why string) error {
	if yes {
		return nil
	}
	if err := agree(ctx, s, false, question); err != nil {
		return err
	}
	return f.askWhy(ctx, s, why)
}

// data is an event's data with who and why added.
func (f *actorFlags) data(members map[string]any) map[string]any {
	members["actor"], members["reason"] = f.actor(), f.why()
	return members
}

// post asks for something that goes on record, and says who and why.
func (f *actorFlags) post(ctx context.Context, to *client, path string) error {
	body, err := json.Marshal(f.data(map[string]any{}))
	if err != nil {
		return fmt.Errorf("write who does it: %w", err)
	}
	return to.post(ctx, path, "application/json", bytes.NewReader(body), nil)
}

// record sends one event on behalf of a person, and returns when the log has it. The same id makes it the same event,
// however often it is sent.
func (c *client) record(ctx context.Context, kind, id string, at time.Time, data map[string]any) error {
	return c.recordAbout(ctx, "", kind, id, at, data)
}

// recordAbout is record of an event that has a subject: the order or case that it is about.
func (c *client) recordAbout(ctx context.Context, subject, kind, id string, at time.Time, data map[string]any) error {
	members := map[string]any{"specversion": "1.0", "id": id, "source": actorSource, "type": kind,
		"time": at.UTC().Format(time.RFC3339Nano), "datacontenttype": "application/json", "data": data}
	if subject != "" {
		members["subject"] = subject
	}
	event, err := json.Marshal(members)
	if err != nil {
		return fmt.Errorf("write the event %s: %w", kind, err)
	}
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := c.post(ctx, "/v1/events", "application/cloudevents+json", bytes.NewReader(event), nil)
		var p *problem
		if errors.As(err, &p) {
			for _, e := range p.Errors {
				return fmt.Errorf("the gateway refused it: %s at %q: %s", e.Code, e.Pointer, e.Detail)
			}
			if p.Status == 503 || p.Status == 429 { // nothing doubles when it is sent again
				if err := pause(ctx, wait); err != nil {
					return err
				}
				continue
			}
		}
		return err
	}
}

// onceID is an identity for something that is done once: what it is, when, and what no other can guess.
func onceID(what string, at time.Time) string {
	return fmt.Sprintf("%s-%s-%s", what, at.UTC().Format("20060102T150405"), strings.ToLower(rand.Text()[:8]))
}
