// Package shops holds the answers of package insight against shops whose truth is known, from end to end: a simulated
// shop's events are written as a till writes them, read, posted and settled by the projector into a ClickHouse, and the
// questions are asked of that. What they answer is held against what the simulation planted, and against what came
// later. The log is in memory: how events travel changes nothing that is asked.
//
// One database holds one shop at a time, so that a thousand of them need no more room than one.
package shops
