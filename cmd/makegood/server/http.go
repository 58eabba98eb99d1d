package server

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/prometheus"
)

// startHTTP serves what the roles want: a gateway takes events in, every role answers questions.
func (a *App) startHTTP(ctx context.Context) error {
	registry, err := a.watched(ctx)
	if err != nil {
		return err
	}
	config := gateway.Config{Addr: a.Config.HTTP, Health: a.Config.Health, Books: Books{a}, Ready: a.ready,
		ReadyForEvents: a.readyForEvents,
		Logger:         a.logger,
		Metrics:        promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry})}
	a.Config.Limits.Server(&config)
	a.letIn(&config)
	if a.Config.has(RoleGateway) {
		events, err := a.intake()
		if err != nil {
			return err
		}
		config.Events = events
		config.Tills = gateway.NewTillRequests(takenTills{a}, events)
		prometheus.WatchTillRequests(registry,
			func() prometheus.TillRequestCounts { return prometheus.TillRequestCounts(config.Tills.Counts()) })
	}
	server, err := gateway.New(config)
	if err != nil {
		return err
	}
	prometheus.WatchTurnedAway(registry, server.TurnedAway)
	if err := a.showPage(server); err != nil {
		return err
	}
	if err := showContract(server); err != nil {
		return err
	}
	a.Routes = server.Patterns()
	if err := server.Listen(); err != nil {
		return err
	}
	a.address = server.Addr().String()
	a.URL = "http://" + a.address
	if config.TLS != nil {
		a.URL = "https://" + a.address
	}
	// What a name stands for is known only now.
	if config.Guard == nil && !a.Config.Access.InsecureOpen && !IsLoopback(a.address) {
		return errors.Join(notLoopback("--http", a.address), server.Close())
	}
	a.background(ctx, named("HTTP", server.Run))
	return nil
}
