package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	gateway "github.com/makegood/makegood/infra/http"
)

type ratesCommand struct {
	Load    ratesLoad    `cmd:"" help:"Set the rates of a file, from the day that it says."`
	List    ratesList    `cmd:"" help:"The rates in force, now or at another time."`
	Example ratesExample `cmd:"" help:"Print a file of rates to begin with."`
}

//go:embed rates.example.yaml
var exampleRates []byte

type ratesExample struct{}

// Run prints the example.
func (*ratesExample) Run(s terminal.Streams) error {
	_, err := s.Out.Write(exampleRates)
	return err
}

type ratesLoad struct {
	booksFlags
	actorFlags
	File string `arg:"" help:"${rates_file}"`
}

// Run sends what the file changes as rate.set events.
func (c *ratesLoad) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	var in io.Reader = s.In
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	rates, err := readRates(in)
	if err != nil {
		return fmt.Errorf("%s:\n%w", c.File, err)
	}
	if strings.TrimSpace(c.Reason) == "" {
		c.Reason = "rates of " + filepath.Base(c.File)
		if c.File == "-" {
			c.Reason = "rates of standard input"
		}
	}
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	changed, refusals, err := c.load(ctx, books, rates)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "%d rates read, %d set, %d were so already\n", len(rates), changed-len(refusals),
		len(rates)-changed)
	for _, r := range refusals {
		fmt.Fprintln(s.Out, "  refused", r)
	}
	if len(refusals) > 0 {
		return errRefused
	}
	now, err := books.booked(ctx, s)
	if err != nil {
		return err
	}
	if now.Unpriced > 0 {
		fmt.Fprintf(s.Out, "%d events were booked while some rate was missing (makegood unpriced): makegood rebuild "+
			"prices what has one now\n", now.Unpriced)
	}
	return nil
}

func (c *ratesLoad) load(ctx context.Context, books *client,
	rates []fileRate) (changed int, refusals []string, err error) {
	var known struct {
		Rates []gateway.Rate `json:"rates"`
	}
	if err := books.get(ctx, "/v1/rates", url.Values{"all": {"true"}}, &known); err != nil {
		return 0, nil, err
	}
	type identity struct {
		name, key, currency string
		effective           int64
	}
	last := map[identity]string{} // the value that counts
	times := map[identity]int{}   // how often it was set
	for _, r := range known.Rates {
		id := identity{r.Rate, r.Key, r.Currency, r.EffectiveFrom.UnixNano()}
		times[id]++
		if !r.Voided {
			last[id] = r.Value
		}
	}
	out := newSender(ctx, books, nil)
	for _, r := range rates {
		id := identity{r.name, r.key, r.currency, r.effective.UnixNano()}
		if last[id] == r.value.String() {
			continue
		}
		event, err := c.event(r, times[id])
		if err != nil {
			return changed, nil, err
		}
		if err := out.add(ctx, event, true, fmt.Sprintf("%s:%d", c.File, r.line)); err != nil {
			return changed, nil, err
		}
		changed++
	}
	if err := out.wait(ctx); err != nil {
		return changed, nil, err
	}
	return changed, out.refusals, nil
}

// event is the rate as an event. Its identity and its time are of what it says alone, so that a load that is repeated
// because its answer was lost doubles nothing. again tells a value that was set before, then changed, then set back.
func (c *ratesLoad) event(r fileRate, again int) ([]byte, error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %d %s %d", r.name, r.key, r.currency, r.effective.UnixNano(), r.value,
		again))
	data := c.data(map[string]any{"rate": r.name, "key": r.key, "value": r.value.String(), "effective_from": r.from})
	if r.currency != "" {
		data["currency"] = r.currency
	}
	event, err := json.Marshal(map[string]any{"specversion": "1.0", "id": "rate-" + hex.EncodeToString(sum[:10]),
		"source": actorSource,
		"type":   domain.TypeRateSet.String(), "time": r.effective.UTC().Format(time.RFC3339Nano),
		"datacontenttype": "application/json", "data": data})
	if err != nil {
		return nil, fmt.Errorf("write the rate of line %d: %w", r.line, err)
	}
	return event, nil
}

type ratesList struct {
	booksFlags
	At     string `help:"A day or a time (RFC 3339); now where none is given."`
	All    bool   `help:"Every rate that was ever set."`
	Format string `help:"table or json." enum:"table,json" default:"table"`
}

// Run prints the rates in force.
func (c *ratesList) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	query := url.Values{}
	if c.At != "" {
		query.Set("at", c.At)
	}
	if c.All {
		query.Set("all", "true")
	}
	if c.Format == "json" {
		return books.get(ctx, "/v1/rates", query, s.Out)
	}
	var answer struct {
		At    time.Time      `json:"at"`
		Rates []gateway.Rate `json:"rates"`
	}
	if err := books.get(ctx, "/v1/rates", query, &answer); err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "rate\tkey\tvalue\tcurrency\tfrom\trecorded\tby event")
	for _, r := range answer.Rates {
		voided := ""
		if r.Voided {
			voided = " (voided)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s %s%s\n", r.Rate, r.Key, r.Value, r.Currency,
			strings.TrimSuffix(r.EffectiveFrom.Format(time.RFC3339), "T00:00:00Z"),
			r.RecordedAt.Format("2006-01-02 15:04:05"), r.Source, r.ID, voided)
	}
	return w.Flush()
}
