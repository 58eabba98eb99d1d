package gateway

import "sync/atomic"

// turnedAway counts what a server has not let through, whoever sent it.
type turnedAway struct{ hosts, origins, connections, sizes, bytes atomic.Int64 }

// TurnedAway is how many requests and connections were not let through since the server was made, by reason: called by
// a name that isn't ours (host), from a page of another origin (origin), a connection of an address that has too many
// (connections), too large a body (size), no room for its bytes (bytes), and no place where requests of a kind are
// worked on: reports, changes, state, reconcile. Events and what tills send are counted by Events and TillRequests.
func (s *Server) TurnedAway() map[string]int64 {
	return map[string]int64{
		"host": s.away.hosts.Load(), "origin": s.away.origins.Load(), "connections": s.away.connections.Load(),
		"size": s.away.sizes.Load(), "bytes": s.away.bytes.Load(),
		"reports": s.gates.reports.away.Load(), "changes": s.gates.changes.away.Load(),
		"state": s.gates.watching.away.Load(), "reconcile": s.gates.reconcile.away.Load(),
	}
}
