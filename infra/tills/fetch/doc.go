// Package fetch asks the API of a till for what its webhooks don't hold: objects that a thin webhook only names, and
// what was missed while nobody listened (backfill). Which addresses is said by the mapping (fetch: in its page); this
// package asks them, and hands over the answers as they came.
//
// # What may be asked
//
// GET alone, https alone, and only the hosts that the mapping names: an address comes out of what somebody sent, and
// the till's key goes with it. The address that a name resolves to must be a public one, checked when it is dialled, so
// that no name leads into the network that makegood stands in. So there is no proxy either. A redirect is followed only
// on the same host. Tests may ask this machine, where they say so.
//
// # When it doesn't answer
//
// 408, 425, 429, 5xx and failures of the network are tried again: after what Retry-After says, else after a growing
// time with jitter. Other answers are final (StatusError). What was asked to wait longer than Longest is given up for
// now: the next run goes on where this one stopped.
//
// # Where it goes on
//
// The state of a backfill is written after each page that is durable: where the last whole run ended, and the address
// of the next page. After a crash a page may come twice, which changes nothing, since ids are those of the objects. A
// state whose next page is gone (400, 404, 410) begins again where the last whole run ended.
//
// # What it costs
//
// One request for each object, or each page of a backfill, one after the other; one answer is in memory at a time.
//
// # Library
//
// Waits are github.com/cenkalti/backoff/v5 (v5.0.3, MIT), which watermill uses too. It knows Retry-After and ends with
// the context.
package fetch
