package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

func healthy(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]bool{"alive": true})
}

// ready asks whether the service can do its work. Everybody may ask that: those who ask while it is being found out get
// the same answer.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	s.answerReady(w, r, "all", s.cfg.Ready)
}

// readyForEvents is for whoever routes events: a gateway takes them while ClickHouse is away.
func (s *Server) readyForEvents(w http.ResponseWriter, r *http.Request) {
	s.answerReady(w, r, "events", s.cfg.ReadyForEvents)
}

func (s *Server) answerReady(w http.ResponseWriter, r *http.Request, of string, ready func(context.Context) error) {
	if err := s.isReady(r.Context(), of, ready); err != nil {
		p := NewProblem(http.StatusServiceUnavailable, ProblemNotReady, "%v", err)
		p.RetryAfter = time.Second
		WriteProblem(w, p)
		return
	}
	writeJSON(w, http.StatusOK, map[string]bool{"ready": true})
}

func (s *Server) isReady(ctx context.Context, of string, ready func(context.Context) error) error {
	if s.stopping.Load() {
		return errors.New("the service is stopping")
	}
	if ready == nil {
		return nil
	}
	answer := s.asking.DoChan("ready "+of, func() (any, error) {
		// Not of who asked first: they may go away, and the others would hear of that.
		asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), healthTime)
		defer cancel()
		return nil, ready(asking)
	})
	select {
	case a := <-answer:
		return a.Err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// healthServer answers on an address of its own, with connections of its own.
type healthServer struct {
	http     *http.Server
	listener net.Listener
}

const (
	maxHealthConnections = 64
	maxHealthPerAddress  = 16
	healthIdle           = 15 * time.Second
)

func (s *Server) listenHealth() (*healthServer, error) {
	l, err := net.Listen("tcp", s.cfg.Health)
	if err != nil {
		return nil, fmt.Errorf("gateway: address for health: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthy)
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /readyz/events", s.readyForEvents)
	l = netutil.LimitListener(newPerAddress(l, maxHealthPerAddress, &s.away.connections), maxHealthConnections)
	return &healthServer{listener: l, http: &http.Server{
		Handler:           s.recovered(s.headed(mux)),
		ReadHeaderTimeout: s.cfg.HeaderTimeout, ReadTimeout: healthTime, WriteTimeout: 2 * healthTime,
		IdleTimeout: healthIdle, MaxHeaderBytes: 8 << 10, ErrorLog: s.http.ErrorLog,
	}}, nil
}

// serve answers until the function that it returns is called. Its end by itself is sent to failed.
func (h *healthServer) serve(failed chan<- error) (stop func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := h.http.Serve(h.listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("health: %w", err)
		}
	}()
	return func() {
		_ = h.close() // it only closes connections
		<-done
	}
}

func (h *healthServer) close() error {
	err := h.http.Close()
	if closing := h.listener.Close(); !errors.Is(closing, net.ErrClosed) {
		err = errors.Join(err, closing)
	}
	return err
}

// HealthAddr is where health is answered by itself, after Listen; nil where it isn't.
func (s *Server) HealthAddr() net.Addr {
	if s.health == nil {
		return nil
	}
	return s.health.listener.Addr()
}
