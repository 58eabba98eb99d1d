package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/infra/wire"
)

const (
	gatewayWriters = 8
	gatewayBatch   = 100
)

// gateway measures how many events a second eight tills' worth of connections get accepted in batches of a hundred,
// each answered when the brokers have it. The writers share this process, and so its CPUs, with the gateway.
func (b *bench) gateway(ctx context.Context) (err error) {
	a, err := b.app(ctx, server.RoleGateway)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	transport := &http.Transport{MaxIdleConnsPerHost: gatewayWriters}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var writing sync.WaitGroup
	took := make([][]time.Duration, gatewayWriters)
	failed := make([]error, gatewayWriters)
	stop := b.profile("gateway")()
	before := measure()
	start := time.Now()
	for i := range gatewayWriters {
		writing.Go(func() {
			body := gatewayBody(fmt.Sprintf("g%d-%d-", b.made, i))
			for time.Since(start) < time.Duration(b.Seconds)*time.Second && failed[i] == nil {
				sent := time.Now()
				failed[i] = sendBatch(ctx, client, a.URL+"/v1/events", body)
				took[i] = append(took[i], time.Since(sent))
			}
		})
	}
	writing.Wait()
	seconds, spent := time.Since(start).Seconds(), before.until()
	if err := errors.Join(errors.Join(failed...), stop()); err != nil {
		return err
	}
	all := slices.Concat(took...)
	events := float64(len(all) * gatewayBatch)
	b.say("\ngateway, batches of %d from %d writers, each acknowledged by the brokers (fsynced, where they are embedded):",
		gatewayBatch, gatewayWriters)
	b.say("  %s events/s  p50 %s  p99 %s  worst %s; %.2f µs CPU an event, writers included",
		terminal.Count(events/seconds),
		quantile(all, .5), quantile(all, .99), quantile(all, 1), spent.cpu.Seconds()*1e6/events)
	return nil
}

func gatewayBody(run string) []byte {
	events := &benchEvents{run: run}
	body := []byte{'['}
	for i := range gatewayBatch {
		if i > 0 {
			body = append(body, ',')
		}
		body = wire.AppendEvent(body, events.next())
	}
	return append(body, ']')
}

func sendBatch(ctx context.Context, client *http.Client, url string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("send a batch: %w", err)
	}
	request.Header.Set("Content-Type", wire.ContentTypeBatch)
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("send a batch: %w", err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("send a batch: status %s: %s", strconv.Itoa(response.StatusCode), text)
	}
	return nil
}
