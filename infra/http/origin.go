package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// outside keeps out what a page of somebody else's may have a browser send: requests under a name that isn't ours (a
// name can be made to point at this machine), and requests that change something and come from another origin.
func (s *Server) outside(h http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.ownHost(r) {
			s.away.hosts.Add(1)
			WriteProblem(w, NewProblem(http.StatusForbidden, ProblemForbidden,
				"this service is not called %q: it answers to loopback, and to the names that it was given", r.Host))
			return
		}
		if err := crossOrigin.Check(r); err != nil {
			s.away.origins.Add(1)
			WriteProblem(w, NewProblem(http.StatusForbidden, ProblemForbidden,
				"a page of another origin changes nothing here"))
			return
		}
		h.ServeHTTP(w, r)
	})
}

// ownHost says whether a request calls the service by a name of its own. Where tokens are asked for and no name was
// given, every name will do: no page knows a token. Without a Host it is no browser.
func (s *Server) ownHost(r *http.Request) bool {
	if r.Host == "" || s.cfg.Guard != nil && len(s.cfg.Hosts) == 0 {
		return true
	}
	name := strings.ToLower(hostName(r.Host))
	if name == "localhost" || slices.ContainsFunc(s.cfg.Hosts, func(h string) bool { return strings.EqualFold(h, name) }) {
		return true
	}
	address, err := netip.ParseAddr(name)
	if err != nil {
		return false
	}
	if address.Unmap().IsLoopback() {
		return true
	}
	// The very address that was connected to: a name that was made to point here is none.
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	to, err := netip.ParseAddrPort(local.String())
	return err == nil && to.Addr().Unmap() == address.Unmap()
}

// hostName is a host without its port and brackets.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

// yearOfTLS has browsers ask by HTTPS alone for a year.
const yearOfTLS = "max-age=31536000"

// headed sets what every answer has: no browser guesses what it is, shows it in another's frame, runs anything in it,
// keeps it, or hands it to another origin. A handler that serves a page says more.
func (s *Server) headed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		header.Set("Referrer-Policy", "no-referrer")
		// Nobody's numbers stay in a cache, unless a handler says that what it shows is nobody's.
		header.Set("Cache-Control", "no-store")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		if s.cfg.TLS != nil {
			header.Set("Strict-Transport-Security", yearOfTLS)
		}
		h.ServeHTTP(w, r)
	})
}

// jsonAlone refuses a body that isn't said to be JSON: the other types are those that a page may send to another origin
// without asking first.
func jsonAlone(r *http.Request) error {
	if r.ContentLength == 0 || isJSON(r.Header.Get("Content-Type")) {
		return nil
	}
	return NewProblem(http.StatusUnsupportedMediaType, ProblemUnsupported, "%q isn't spoken here: send application/json",
		r.Header.Get("Content-Type"))
}

// csvAlone is jsonAlone for tables.
func csvAlone(r *http.Request) error {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if r.ContentLength == 0 || strings.EqualFold(strings.TrimSpace(kind), "text/csv") {
		return nil
	}
	return NewProblem(http.StatusUnsupportedMediaType, ProblemUnsupported, "%q isn't spoken here: send text/csv",
		r.Header.Get("Content-Type"))
}
