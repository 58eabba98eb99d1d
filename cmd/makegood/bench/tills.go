package bench

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
)

const (
	webhookSenders = 64
	webhookBytes   = 14_000
	webhookSecret  = "bench-secret-of-a-till"
)

// webhookMapping makes an order of what webhookBody is.
const webhookMapping = `
name: bench
about: Orders of the benchmark.
sign: {scheme: hmac, header: X-Bench-Hmac, encoding: base64}
kinds:
  - kind: order
    when: .line_items != null
    events: |
      {type: "makegood.order.placed.v1", id: "order/\(.id)", time: .created_at, subject: .id,
       data: {order_id: .id, store_id: $till.store_id, currency: "USD",
              lines: [.line_items[] | {line_id: "\(.id)", sku, quantity, unit_price: (.price | amount)}]}}
`

// webhooks measures how long a till waits for its answer, which comes when the brokers have what it sent, at a
// steady rate of webhooks of 14 KB. A wait counts from the moment that a webhook was due, so that one slow answer isn't
// hidden by the webhooks that weren't sent meanwhile. The mapper works beside it, and the senders share this process.
func (b *bench) webhooks(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "makegood-bench-tills")
	if err != nil {
		return fmt.Errorf("make a directory for the tills: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for name, content := range map[string]string{"tills.yaml": "bench: {mapping: bench.yaml, secret_file: secret}",
		"bench.yaml": webhookMapping, "secret": webhookSecret} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return fmt.Errorf("write the tills: %w", err)
		}
	}
	a, err := b.appOf(ctx, func(c *server.Config) {
		c.Tills, c.Roles = filepath.Join(dir, "tills.yaml"), []string{server.RoleGateway, server.RoleMapper}
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	// A webhook in one write: the senders share the processors with what is measured.
	transport := &http.Transport{MaxIdleConnsPerHost: webhookSenders, WriteBufferSize: 2 * webhookBytes}
	defer transport.CloseIdleConnections()
	w := &webhookSender{rate: b.Webhooks, client: &http.Client{Transport: transport}, url: a.URL + "/v1/tills/bench",
		run: fmt.Sprintf("w%d-", b.made)}
	stop := b.profile("tills")()
	broker, before := cpuOf(b.brokerPID), measure()
	took, failed := w.send(ctx, time.Duration(b.Seconds)*time.Second)
	spent, brokers := before.until(), cpuOf(b.brokerPID)-broker
	if err := errors.Join(failed, stop()); err != nil {
		return err
	}
	b.say("\nwebhooks of %d bytes, %s a second asked for, from %d senders, each answered when the brokers have it:",
		webhookBytes, terminal.Count(float64(b.Webhooks)), webhookSenders)
	perWebhook := func(d time.Duration) float64 { return d.Seconds() * 1e6 / float64(len(took)) }
	b.say("  %s webhooks/s  p50 %s  p99 %s  worst %s; %.0f µs CPU a webhook, senders and mapper included",
		terminal.Count(float64(len(took))/w.lasted.Seconds()), quantile(took, .5), quantile(took, .99), quantile(took, 1),
		perWebhook(spent.cpu))
	if b.brokerPID != 0 {
		b.say("  %.0f µs CPU a webhook at the broker, with what the mapper makes", perWebhook(brokers))
	}
	mapped := time.Now()
	if err := a.TillsMapped(ctx); err != nil {
		return err
	}
	b.say("  all of them are mapped %s after the last", time.Since(mapped).Round(time.Millisecond))
	return nil
}

// webhookSender sends as a till does.
type webhookSender struct {
	rate   int // a second
	client *http.Client
	url    string
	run    string
	lasted time.Duration
}

// send sends at a steady rate, and says how long each answer took.
func (w *webhookSender) send(ctx context.Context, long time.Duration) ([]time.Duration, error) {
	took := make([][]time.Duration, webhookSenders)
	failed := make([]error, webhookSenders)
	var sending sync.WaitGroup
	start := time.Now()
	for i := range webhookSenders {
		sending.Go(func() {
			body, id := webhookBody(w.run)
			for n := i; failed[i] == nil; n += webhookSenders {
				due := start.Add(time.Duration(n) * time.Second / time.Duration(w.rate))
				if due.Sub(start) >= long {
					return
				}
				time.Sleep(time.Until(due))
				copy(id, fmt.Sprintf("%0*d", len(id), n))
				failed[i] = w.one(ctx, body)
				took[i] = append(took[i], time.Since(due))
			}
		})
	}
	sending.Wait()
	w.lasted = time.Since(start)
	return slices.Concat(took...), errors.Join(failed...)
}

func (w *webhookSender) one(ctx context.Context, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("send a webhook: %w", err)
	}
	mac := hmac.New(sha256.New, []byte(webhookSecret))
	mac.Write(body)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Bench-Hmac", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	response, err := w.client.Do(request)
	if err != nil {
		return fmt.Errorf("send a webhook: %w", err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("send a webhook: status %d: %s", response.StatusCode, text)
	}
	return nil
}

// webhookBody is an order of several lines, with as much around it as a shop's has. id is the piece of it that tells it
// from others.
func webhookBody(run string) (body, id []byte) {
	var lines []string
	for i := range 8 {
		lines = append(lines, fmt.Sprintf(`{"id": %d, "sku": "SKU-%d", "quantity": 1, "price": "%d.50", "title": "Part %d"}`,
			i+1, i, 10+i, i))
	}
	const digits = 9
	begin := `{"id": "` + run
	rest := `", "created_at": "2026-01-10T09:00:00Z", "line_items": [` + strings.Join(lines, ", ") + `], "note": "`
	filler := strings.Repeat("x", webhookBytes-len(begin)-digits-len(rest)-2)
	body = []byte(begin + strings.Repeat("0", digits) + rest + filler + `"}`)
	return body, body[len(begin):][:digits]
}
