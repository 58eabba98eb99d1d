package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"time"
)

type grantKey struct{}

// grantOf is what the guard gave for this request; nil where there is no guard.
func grantOf(r *http.Request) *Grant {
	g, _ := r.Context().Value(grantKey{}).(*Grant)
	return g
}

// guarded lets in who has one of the scopes.
func (s *Server) guarded(anyOf []Scope, h http.Handler) http.Handler {
	if s.cfg.Guard == nil || slices.Contains(anyOf, Open) {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		grant, err := s.cfg.Guard(r, anyOf...)
		if a, ok := w.(*response); ok {
			a.who = grant.name() // also of somebody who may not do this
		}
		if err != nil {
			WriteProblem(w, refusal(w, r, err))
			return
		}
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), grantKey{}, grant)))
	})
}

// route is the mux, but what it would refuse in plain text is a problem.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	h, pattern := s.mux.Handler(r)
	if pattern != "" {
		if a, ok := w.(*response); ok {
			a.pattern = pattern
		}
		// Not h: the mux also sets the path's values.
		s.mux.ServeHTTP(w, r)
		return
	}
	found := refused{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(&found, r)
	switch found.status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", found.header.Get("Allow"))
		WriteProblem(w, NewProblem(found.status, ProblemNotAllowed, "%s takes %s", r.URL.Path, found.header.Get("Allow")))
	default:
		WriteProblem(w, NewProblem(http.StatusNotFound, ProblemNotFound, "there is nothing at %s", r.URL.Path))
	}
}

// refused takes the mux's own answer, to be said again as a problem.
type refused struct {
	header http.Header
	status int
}

func (r *refused) Header() http.Header         { return r.header }
func (r *refused) Write(b []byte) (int, error) { return len(b), nil }
func (r *refused) WriteHeader(status int)      { r.status = status }

func (s *Server) recovered(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p) // how a handler cuts its connection
			default:
				s.cfg.Logger.LogAttrs(r.Context(), slog.LevelError, "panic", slog.Any("panic", p),
					slog.String("stack", string(debug.Stack())))
				if a, ok := w.(*response); ok && a.status != 0 {
					panic(http.ErrAbortHandler) // half an answer must not look whole
				}
				WriteProblem(w, NewProblem(http.StatusInternalServerError, ProblemInternal, "that is our fault, and was noted"))
			}
		}()
		h.ServeHTTP(w, r)
	})
}

// logged writes the access log. Neither queries nor headers are in it, where secrets might be.
func (s *Server) logged(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		a := &response{ResponseWriter: w}
		defer func() {
			level := slog.LevelInfo
			switch a.pattern {
			case "GET /healthz", "GET /readyz", "GET /readyz/events", "GET /metrics":
				level = slog.LevelDebug
			}
			s.cfg.Logger.LogAttrs(r.Context(), level, "request",
				slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", a.status),
				slog.Int64("bytes_in", max(r.ContentLength, 0)), slog.Int64("bytes_out", a.bytes),
				slog.Duration("took", time.Since(start)), slog.String("from", r.RemoteAddr), slog.String("who", a.who))
		}()
		h.ServeHTTP(a, r)
	})
}

// response remembers what was answered.
type response struct {
	http.ResponseWriter
	status  int
	bytes   int64
	pattern string
	who     string
}

func (a *response) WriteHeader(status int) {
	if a.status == 0 || a.status < http.StatusOK {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *response) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(b)
	a.bytes += int64(n)
	return n, err //nolint:wrapcheck // this is a writer
}

// Unwrap is for http.ResponseController.
func (a *response) Unwrap() http.ResponseWriter { return a.ResponseWriter }
