package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/infra/embedded"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/projections/post"
	"github.com/makegood/makegood/projections/report"
)

// booksFlags say which books a command asks.
type booksFlags struct {
	To string `help:"${to_url}"`
	tokenFlags
	server.Config
}

// tokenFlags say by which token a command is let in.
type tokenFlags struct {
	TokenFile string `help:"File with the token for a gateway that wants one; or MAKEGOOD_TOKEN."`
}

func (f *tokenFlags) token() (string, error) {
	return server.Secret("--token-file", f.TokenFile, "MAKEGOOD_TOKEN")
}

// open finds the books: those named, those of the process that serves the data directory, or the directory itself,
// opened for as long as the command runs.
func (f *booksFlags) open(ctx context.Context, logger *slog.Logger, s terminal.Streams) (*client, func() error, error) {
	nothing := func() error { return nil }
	token, err := f.token()
	if err != nil {
		return nil, nil, err
	}
	if f.To != "" {
		u, err := url.Parse(f.To)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return nil, nil, fmt.Errorf("--to: %q is no URL of the form http://host:port", f.To)
		}
		return newClient(strings.TrimSuffix(f.To, "/")).withToken(token), nothing, nil
	}
	if f.Embedded() {
		holder, err := embedded.ReadAnnouncement(f.DataDir)
		switch {
		case err == nil && holder.HTTP != "":
			base := "http://" + holder.HTTP
			if holder.TLS {
				base = "https://" + holder.HTTP
			}
			fmt.Fprintf(s.Err, "asking the makegood that serves %s, at %s (another name for it: --to)\n", f.DataDir, base)
			return newClient(base).withToken(token), nothing, nil
		case err != nil && !errors.Is(err, embedded.ErrNotServing):
			return nil, nil, err
		}
	}
	config := f.Config
	// Nobody else is to reach books that are open for one command alone.
	config.HTTP, config.KafkaListen, config.Access = "127.0.0.1:0", "127.0.0.1:0", server.AccessFlags{}
	app, err := server.Start(ctx, config, logger, s.Err)
	if err != nil {
		return nil, nil, err
	}
	return newClient(app.URL), app.Close, nil
}

// client asks a makegood over HTTP.
type client struct {
	base  string
	token string
	http  *http.Client
}

func newClient(base string) *client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 16
	return &client{base: base, http: &http.Client{Transport: transport, Timeout: 2 * time.Minute}}
}

// withToken makes c bring a token along.
func (c *client) withToken(token string) *client {
	c.token = token
	return c
}

// problem is an answer of RFC 9457.
type problem struct {
	Type     string `json:"type"`
	Status   int    `json:"status"`
	Title    string `json:"title"`
	Detail   string `json:"detail"`
	Accepted int    `json:"accepted"`
	// Of a question that can't be answered: see report.Invalid.
	Reason    string   `json:"reason"`
	Parameter string   `json:"parameter"`
	Value     string   `json:"value"`
	Of        []string `json:"of"`
	Errors    []struct {
		Index   int    `json:"index"`
		Pointer string `json:"pointer"`
		Code    string `json:"code"`
		Detail  string `json:"detail"`
	} `json:"errors"`
}

func (p *problem) Error() string {
	switch {
	case p.Detail == "":
		return p.Title
	case p.Type == "urn:makegood:problem:"+gateway.ProblemBadQuery && p.Reason != "":
		invalid := report.Invalid{Code: p.Reason, Parameter: p.Parameter, Value: p.Value, Of: p.Of}
		return p.Title + ": " + invalid.Words(flagName)
	default:
		return p.Title + ": " + p.Detail
	}
}

// flagName is what a parameter of a question is called on the command line, where the day after the last is --until.
func flagName(parameter, value string) string {
	if parameter == "to" {
		parameter = "until"
	}
	name := "--" + strings.ReplaceAll(parameter, "_", "-")
	if value != "" {
		name += " " + value
	}
	return name
}

// setGiven sets the parameters that have a value.
func setGiven(query url.Values, parameters map[string]string) {
	for name, value := range parameters {
		if value != "" {
			query.Set(name, value)
		}
	}
}

// get reads an answer into target, or copies it where target is an io.Writer.
func (c *client) get(ctx context.Context, path string, query url.Values, target any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return err
	}
	return c.do(request, target)
}

func (c *client) post(ctx context.Context, path, contentType string, body io.Reader, target any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, body)
	if err != nil {
		return err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	return c.do(request, target)
}

func (c *client) do(request *http.Request, target any) error {
	if c.token != "" {
		// Sent to nobody else: net/http drops it where an answer points to another host.
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("ask %s: %w", c.base, err)
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		p := &problem{Status: response.StatusCode, Title: response.Status}
		// Not every answer on the way is ours; without a body the status must do.
		_ = json.NewDecoder(io.LimitReader(response.Body, 16<<20)).Decode(p)
		return p
	}
	if w, ok := target.(io.Writer); ok {
		_, err := io.Copy(w, response.Body)
		return err
	}
	if target == nil {
		_, err := io.Copy(io.Discard, response.Body)
		return err
	}
	if err := json.NewDecoder(response.Body).Decode(target); err != nil {
		return fmt.Errorf("read the answer of %s: %w", request.URL.Path, err)
	}
	return nil
}

// caughtUp waits until all that was acknowledged by now is booked and visible, and returns the status then. What comes
// meanwhile isn't waited for: under a steady stream there would be no end.
func (c *client) caughtUp(ctx context.Context) (status, error) {
	var now status
	if err := c.get(ctx, "/v1/status", nil, &now); err != nil {
		return now, err
	}
	type partition struct {
		topic  string
		number int
	}
	ends := map[partition]int64{}
	for _, t := range now.Topics {
		ends[partition{t.Topic, t.Partition}] = t.End
	}
	for {
		behind := false
		for _, t := range now.Topics {
			behind = behind || t.Booked < ends[partition{t.Topic, t.Partition}]
		}
		if !behind {
			return now, nil
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return now, err
		}
		if err := c.get(ctx, "/v1/status", nil, &now); err != nil {
			return now, err
		}
	}
}

// caughtUpWithSeals is caughtUp, and says how many seals of closes are among the events. makegood writes them by
// itself, some time after a close: no seal came between the two counts.
func (c *client) caughtUpWithSeals(ctx context.Context) (status, int, error) {
	var now status
	for before := -1; ; {
		var answer struct {
			Seals []gateway.PeriodSeal `json:"seals"`
		}
		if err := c.get(ctx, "/v1/seals", nil, &answer); err != nil {
			return now, 0, err
		}
		if before == len(answer.Seals) {
			return now, before, nil
		}
		before = len(answer.Seals)
		var err error
		if now, err = c.caughtUp(ctx); err != nil {
			return now, 0, err
		}
	}
}

// status is the answer of /v1/status.
type status struct {
	CaughtUp bool `json:"caught_up"`
	Topics   []struct {
		Topic     string `json:"topic"`
		Partition int    `json:"partition"`
		End       int64  `json:"end"`
		Booked    int64  `json:"booked"`
		Checked   int64  `json:"checked"`
	} `json:"topics"`
	Gaps        []post.Gap           `json:"gaps"`
	Problems    []gateway.LogProblem `json:"problems"`
	Events      uint64               `json:"events"`
	DeadLetters uint64               `json:"dead_letters"`
	Unpriced    uint64               `json:"unpriced"`
	Conflicts   uint64               `json:"conflicts"`

	Doubles        uint64 `json:"doubles"`
	Contradictions uint64 `json:"contradictions"`
	VoidsNothing   uint64 `json:"voids_nothing"`
	Flagged        uint64 `json:"flagged"`
}

// sinceBooked is how many records the log has taken that were not booked before.
func (s *status) sinceBooked(before status) (n int64) {
	for _, t := range s.Topics {
		n += t.End
	}
	for _, t := range before.Topics {
		n -= t.Booked
	}
	return n
}

// pause waits for so long, or until the context ends, which is an error.
func pause(ctx context.Context, long time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(long):
		return nil
	}
}

// openBooked opens the books, and waits until what the log holds now is booked. The caller ends with done.
func (f *booksFlags) openBooked(ctx context.Context, logger *slog.Logger, s terminal.Streams) (books *client,
	now status, done func() error, err error) {
	if books, done, err = f.open(ctx, logger, s); err != nil {
		return nil, now, nil, err
	}
	if now, err = books.booked(ctx, s); err != nil {
		return nil, now, nil, errors.Join(err, done())
	}
	return books, now, done, nil
}
