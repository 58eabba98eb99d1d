// Package post is the way of an event: it reads the streams, posts each event, writes rows in batches, recomputes the
// roll-ups, and only then acknowledges the records. What could not be decided when an event was posted, since something
// came later that concerns it, is settled afterwards.
//
// It promises that what the consumer group has committed is in the ledger and visible in every report, and that the books
// are a function of the log: a crash anywhere repeats work that changes nothing.
//
// What it costs: a batch is one insert, one question of the books stream, and one statement for the roll-ups; see
// makegood bench.
package post
