package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/sync/singleflight"
)

// Config is what a Server needs. Zero limits take their defaults.
type Config struct {
	// Addr is where to listen. Default 127.0.0.1:8080: the world is only let in on purpose.
	Addr string
	// TLS makes it HTTPS.
	TLS *tls.Config
	// Events answers POST /v1/events. Nil: no events are taken in.
	Events *Events
	// Tills answer POST /v1/tills/{name}. Nil: nothing of tills is taken in.
	Tills *TillRequests
	// Books answer the read side. Nil: nothing is read back.
	Books Books
	// Hosts are the names, beside loopback and the address itself, by which the service may be called: without a Guard no
	// other is answered, since any name can be made to point here.
	Hosts []string
	// Guard decides who may do what. Nil: everybody everything.
	Guard Guard
	// Ready says why the service can't do its work now; nil where it can. It is asked by /readyz.
	Ready func(ctx context.Context) error
	// ReadyForEvents says why events can't be taken now; nil where they can. It asks for less than Ready: events are taken
	// while the store is away. It is asked by /readyz/events. Default: Ready.
	ReadyForEvents func(ctx context.Context) error
	// Metrics answers /metrics. Nil: there are none.
	Metrics http.Handler
	// Logger takes the access log. Default: nothing.
	Logger *slog.Logger

	// HeaderTimeout bounds how long the headers may take. Default 5 s.
	HeaderTimeout time.Duration
	// WriteTimeout bounds a whole request, with its answer. Default 2 min.
	WriteTimeout time.Duration
	// IdleTimeout bounds how long a connection is kept between requests. Default 2 min.
	IdleTimeout time.Duration
	// ShutdownTimeout bounds how long running requests are waited for. Default 15 s.
	ShutdownTimeout time.Duration
	// MaxHeader bounds the bytes of the headers. Default 64 KiB.
	MaxHeader int
	// MaxConnections bounds the connections; more of them wait. Default 4,096.
	MaxConnections int
	// MaxPerAddress bounds the connections of one address (a /64 of IPv6); more of them are closed. Default 512.
	MaxPerAddress int
	// MaxReports bounds the reports that are made at once; three times as many wait for 5 s. Default 8.
	MaxReports int
	// Health is another address that answers /healthz and /readyz… alone, so that no crowd shuts these out. Empty: none.
	Health string
}

func (c Config) withDefaults() Config {
	setDefault(&c.Addr, "127.0.0.1:8080")
	setDefault(&c.HeaderTimeout, 5*time.Second)
	setDefault(&c.WriteTimeout, 2*time.Minute)
	setDefault(&c.IdleTimeout, 2*time.Minute)
	setDefault(&c.ShutdownTimeout, 15*time.Second)
	setDefault(&c.MaxHeader, 64<<10)
	setDefault(&c.MaxConnections, 4096)
	setDefault(&c.MaxPerAddress, 512)
	setDefault(&c.MaxReports, 8)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.ReadyForEvents == nil {
		c.ReadyForEvents = c.Ready
	}
	return c
}

// Validate says what is wrong with c, everything at once.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		errs = append(errs, fmt.Errorf("address to listen on: %w", err))
	}
	if _, _, err := net.SplitHostPort(c.Health); c.Health != "" && err != nil {
		errs = append(errs, fmt.Errorf("address for health: %w", err))
	}
	for _, d := range []struct {
		name string
		time time.Duration
	}{
		{"header timeout", c.HeaderTimeout},
		{"write timeout", c.WriteTimeout},
		{"idle timeout", c.IdleTimeout},
		{"shutdown timeout", c.ShutdownTimeout},
	} {
		if d.time < 0 {
			errs = append(errs, fmt.Errorf("%s is below zero", d.name))
		}
	}
	if c.MaxHeader < 0 || c.MaxConnections < 0 || c.MaxPerAddress < 0 || c.MaxReports < 0 {
		errs = append(errs, errors.New("a limit is below zero"))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	return nil
}

const (
	// eventsPattern is the route of events.
	eventsPattern = "POST /v1/events"
	// maxStreams bounds the requests of one connection of HTTP/2.
	maxStreams = 64
	// defaultInFlight is EventsConfig.MaxInFlight of who takes no events.
	defaultInFlight = 64 << 20
)

// Server answers HTTP: New, perhaps Handle for more, perhaps Listen to know the address, then Run.
type Server struct {
	cfg      Config
	mux      *http.ServeMux
	http     *http.Server
	listener net.Listener
	stopping atomic.Bool
	patterns []string
	gates    gates
	inFlight *inFlight // bytes of bodies that are kept
	away     turnedAway
	asking   singleflight.Group
	health   *healthServer // nil: none of its own
}

// New checks c and makes a server. It doesn't listen yet.
func New(c Config) (*Server, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	s := &Server{cfg: c, mux: http.NewServeMux(), inFlight: newInFlight(defaultInFlight, 0)}
	s.gates = newGates(&s.cfg, &s.away.sizes)
	if c.Events != nil {
		s.inFlight = c.Events.inFlight
	}
	s.http = &http.Server{
		Handler:           s.logged(s.recovered(s.headed(s.outside(http.HandlerFunc(s.route))))),
		TLSConfig:         c.TLS,
		ReadHeaderTimeout: c.HeaderTimeout,
		ReadTimeout:       c.WriteTimeout,
		WriteTimeout:      c.WriteTimeout,
		IdleTimeout:       c.IdleTimeout,
		MaxHeaderBytes:    c.MaxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog:          slog.NewLogLogger(c.Logger.Handler(), slog.LevelDebug),
	}
	s.Handle("GET /healthz", Open, http.HandlerFunc(healthy))
	s.Handle("GET /readyz", Open, http.HandlerFunc(s.ready))
	s.Handle("GET /readyz/events", Open, http.HandlerFunc(s.readyForEvents))
	if c.Metrics != nil {
		s.Handle("GET /metrics", Read, c.Metrics)
	}
	if c.Events != nil {
		s.handle(eventsPattern, c.Events, Write, KeepBooks)
	}
	if c.Tills != nil {
		c.Tills.guard = c.Guard
		s.handle(tillPattern, c.Tills, Open) // its senders sign, or the handler asks for a token
	}
	if c.Books != nil {
		s.readRoutes(c.Books)
	}
	return s, nil
}

// Handle adds a handler for a pattern of http.ServeMux, behind the guard. Not while the server runs.
func (s *Server) Handle(pattern string, scope Scope, h http.Handler) { s.handle(pattern, h, scope) }

func (s *Server) handle(pattern string, h http.Handler, anyOf ...Scope) {
	s.mux.Handle(pattern, s.guarded(anyOf, s.gateOf(pattern, anyOf).through(h)))
	s.patterns = append(s.patterns, pattern)
}

// Patterns are all that the server answers, as they were given to Handle.
func (s *Server) Patterns() []string { return slices.Clone(s.patterns) }

// Listen opens the address. Run does it where it wasn't done before.
func (s *Server) Listen() error {
	l, err := net.Listen("tcp", s.cfg.Addr)
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	s.listener = l
	if s.cfg.Health != "" {
		if s.health, err = s.listenHealth(); err != nil {
			return errors.Join(err, l.Close())
		}
	}
	return nil
}

// Addr is where the server listens, after Listen.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Run serves until ctx ends, then says that it isn't ready, lets running requests finish within ShutdownTimeout and
// cuts off the rest.
func (s *Server) Run(ctx context.Context) error {
	if s.listener == nil {
		if err := s.Listen(); err != nil {
			return err
		}
	}
	l := netutil.LimitListener(newPerAddress(s.listener, s.cfg.MaxPerAddress, &s.away.connections), s.cfg.MaxConnections)
	done := make(chan error, 2)
	if s.health != nil {
		defer s.health.serve(done)()
	}
	go func() {
		if s.cfg.TLS != nil {
			done <- s.http.ServeTLS(l, "", "")
			return
		}
		done <- s.http.Serve(l)
	}()
	select {
	case err := <-done:
		if errors.Is(err, http.ErrServerClosed) {
			return nil // by Close
		}
		return fmt.Errorf("gateway: %w", err)
	case <-ctx.Done():
	}
	s.stopping.Store(true)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.ShutdownTimeout)
	defer cancel()
	err := s.http.Shutdown(end)
	if err != nil {
		err = fmt.Errorf("gateway: requests were cut off after %s: %w", s.cfg.ShutdownTimeout,
			errors.Join(err, s.http.Close()))
	}
	<-done
	return err
}

// Close cuts everything off at once.
func (s *Server) Close() error {
	s.stopping.Store(true)
	err := s.http.Close()
	if s.health != nil {
		err = errors.Join(err, s.health.close())
	}
	if s.listener != nil {
		if closing := s.listener.Close(); !errors.Is(closing, net.ErrClosed) {
			err = errors.Join(err, closing)
		}
	}
	return err
}
