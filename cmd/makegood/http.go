package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/prometheus"
)

// startHTTP serves what the roles want: a gateway takes events in, every role answers questions.
func (a *App) startHTTP(ctx context.Context) error {
	registry, err := a.watched()
	if err != nil {
		return err
	}
	config := gateway.Config{Addr: a.config.HTTP, Books: books{a}, Ready: a.ready, Logger: a.logger,
		Metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry})}
	if a.config.has(roleGateway) {
		events, err := gateway.NewEvents(gateway.EventsConfig{Publisher: a.publisher, TopicPrefix: a.config.Prefix, PartitionKey: kafka.PartitionKey,
			Ends: a.ends, Logger: a.logger})
		if err != nil {
			return err
		}
		prometheus.WatchGateway(registry, func() prometheus.GatewayCounts { return prometheus.GatewayCounts(events.Counts()) })
		config.Events = events
	}
	server, err := gateway.New(config)
	if err != nil {
		return err
	}
	if err := a.showPage(server); err != nil {
		return err
	}
	if err := showContract(server); err != nil {
		return err
	}
	a.routes = server.Patterns()
	if err := server.Listen(); err != nil {
		return err
	}
	a.url = "http://" + server.Addr().String()
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	var done sync.WaitGroup
	done.Go(func() {
		if err := server.Run(serving); err != nil {
			a.fail(fmt.Errorf("HTTP ended: %w", err))
		}
	})
	a.onClose(func() error {
		stop()
		done.Wait()
		return nil
	})
	return nil
}
