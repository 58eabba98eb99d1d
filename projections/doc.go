// Package projections says what ClickHouse keeps of the events, and what is asked of it. It holds no code: each room
// below is a package with one concern, and imports point one way only (domain/rooms_test.go holds them).
//
//	the way of an event      post → deadletter, shadow → ledger → domain
//	the way of a rebuild     rebuild → post, shadow → ledger → domain
//	the way of a question    audit, insight → report → deadletter, shadow → ledger → domain
//
//	sql          makes statements: templates, and the domain's vocabulary in them; every room may use it
//	ledger       the row, its columns, the migrations and views, and how rows are read back
//	deadletter   the records that could not be booked
//	shadow       what a rebuild is: its record, its report, its tables
//	post         reads the streams, posts each event, writes rows and roll-ups
//	rebuild      computes a rebuild
//	report       one question a file; knows nothing of posting
//	insight      the owner's questions, declared: each with its columns, so that every face of it follows
//	audit        closes, reconciliation, payouts, and who changed the books
//	bookstest    for tests: books random streams, and holds the books against the second set
//
// # Words
//
// As-of. A report can be asked as of a time or of a close: it then knows only what was recorded by that time, or what
// stood before that close in the log.
//
// Batch. The rows that one insert writes. The records of a batch are acknowledged together, after the insert.
//
// Close. The event books.period.closed says that a month is closed. It takes effect at its log position: what stands
// before it belongs to the month, what comes after it is posted to the first open month.
//
// Dead letter. A record of the log that could not be booked, kept as it came, with a reason. A person sends it again
// (replay) or discards it.
//
// Epoch. The number of closes that stand before an event in the log. Events of a later epoch never change what a closed
// month reported.
//
// Flush. A worker writes the rows that it has gathered so far.
//
// Log position. Stream, partition and offset of a record. Positions decide what came before what; clocks don't.
//
// Rebuild. All history is posted again from the payloads that the ledger keeps, with today's rules and rates.
//
// Repost. A rebuild posts rows again that post alone.
//
// Settle. The entries of a unit are made of all its events, and rows that come out otherwise are written again.
//
// Roll-up. The table leakage_daily: sums by day and case. It is recomputed for the cases that new rows concern, never
// added to.
//
// Settlement. The entries of a unit as a whole: what its events post, given each other, the closes and the rates.
//
// Shadow. The tables that a rebuild fills while the books stay as they are. They become part of the books at once.
//
// Terms. What the books stream says up to an offset: rates, closed months, rebuilds, decisions. A row is posted with
// terms.
//
// Unit. The events that are settled together: an order with its cases, or a case without an order.
package projections
