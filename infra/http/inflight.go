package gateway

import "sync/atomic"

// messageCost is about what a message takes beside its payload: the struct, its metadata, its key.
const messageCost = 768

func inFlightFor(body int64, events int) int64 { return body + int64(events)*messageCost }

// inFlight bounds the bytes of all requests that are being worked on.
type inFlight struct {
	most int64
	now  atomic.Int64
}

// reservation is one request's part of it.
type reservation struct {
	of   *inFlight
	held int64
}

// take asks for n more bytes; false where there is no room.
func (r *reservation) take(n int64) bool {
	if r.of.now.Add(n) > r.of.most {
		r.of.now.Add(-n)
		return false
	}
	r.held += n
	return true
}

// release gives all of it back.
func (r *reservation) release() {
	r.of.now.Add(-r.held)
	r.held = 0
}
