// Package post is the way of an event: it reads the streams, writes rows in batches, settles the units that these
// concern (settle.go), recomputes the roll-ups, and only then acknowledges the records. There is one way in which lines
// come to be: domain.Terms.Settle makes them of all events of a unit. Events that post alone have their lines before
// they land, which are those that settling makes of them.
//
// It promises that what the consumer group has committed is in the ledger and visible in every report, and that the
// books are a function of the log: a crash anywhere repeats work that changes nothing.
//
// What it costs: a batch is one insert and one question of the books stream. Its units are settled ahead of that
// insert, with what is known of them (ahead.go): where their earlier events are neither in the batch nor among those
// of lately, they are read, unless the ledger is expected to have none. After the insert one question tells whether
// the ledger holds what they were settled with, and the roll-ups take one statement. Units of which it holds
// something else, and those of voids and decisions, are read, what comes out otherwise is inserted once more, and
// they are read again. See makegood bench.
package post
