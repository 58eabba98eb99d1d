// Package gateway is makegood's HTTP side: events come in, numbers go out. The folder is named for the outside thing,
// the package for what it does, so that nobody mistakes it for net/http.
//
// # Events in
//
// POST /v1/events takes one CloudEvent (structured or binary mode) or a batch. Each is read and checked with
// infra/wire, the same code that reads them from the log again, and published through watermill under the topic of its
// stream. The answer 202 is given when every event is acknowledged by the broker, never before.
//
//	202  {"accepted":n}
//	400  no CloudEvent at all, or not what the headers say: bad JSON, bad gzip
//	401  nobody that the Guard knows; 403 somebody who may not do this
//	408  the body came too slowly
//	413  larger than an event, a batch or a body may be
//	415  a content type or encoding that isn't spoken here
//	422  events that break the contract: `accepted` says how many good ones of the batch are in, `errors` lists the
//	     others
//	429  too much at once, or too many failures of the Guard: nothing of it was taken, Retry-After says when to come back
//	503  not acknowledged: send it all again, nothing doubles
//
// All but the first are problems of RFC 9457.
//
// # Bounds
//
// Every limit of events is in EventsConfig, of connections in Config; all other routes are behind a gate (gate.go),
// which bounds their bodies, how many are worked on at once, and for how long.
// What bounds memory is MaxInFlight: bytes are reserved as they arrive,
// before they are kept, expanded bytes where a body is compressed; where there is no room the request is shed. A gzip
// bomb stops at MaxBody, and a slow client holds no more than what it has sent, until BodyTimeout.
//
// # Browsers
//
// A page of another origin changes nothing: a request that changes something and comes from one is refused, and so is a
// Host that is neither loopback, nor the address that was connected to, nor configured (Config.Hosts). Bodies are JSON,
// CloudEvents or CSV: types that no page sends to another origin without asking first. Every answer has headers that
// keep browsers from guessing, framing and running it.
//
// # Numbers out
//
// The read side asks Books and answers as the contract's §7 says.
package gateway
