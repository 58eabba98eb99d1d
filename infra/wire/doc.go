// Package wire reads and writes the events of the contract: CloudEvents 1.0 in JSON, structured and binary, into
// domain.Event and back.
//
// # One table per event
//
// What the contract says of an event's members (name, kind of value, required or not) stands once, in the table of its
// type: orders.go, cases.go, redeliveries.go, books.go. Reading, writing, the content hash and the JSON Schema all
// follow that table, so they can't drift apart, and a test holds it against the contract's rows, member by member. A
// type of event without a table stops the program at its start. Rules between members are in Go (checked), with what
// JSON Schema can say of them beside it.
//
// # Two steps, nothing allocated
//
// The first step walks the envelope and frames `data`, because `type` may come after it. The second walks the data
// with the type's table, fills structs that belong to the Decoder, and sums up the content hash as it goes. Strings are
// pieces of the payload. In the steady state nothing is allocated per event, whatever its type; only refusals are, and
// the first use of something (a time zone, more lines than ever before, a void's decoder).
//
// # What reads the JSON
//
// Numbers must be read from their digits, never through a float, and 200,000 events a second must leave the processor
// to others. encoding/json allocates per member, and takes the last of two members of one name. sonic compiles code at
// run time, per architecture. github.com/go-faster/jx gives numbers as text and allocates nothing, and the first
// version of this package was driven by it: of 2.6 µs per order, two thirds went into stepping from token to token. So
// a small cursor (cursor.go) steps, which is written for this one use and checks the grammar as it goes; and jx is the
// referee: whatever is refused it looks at again, so that "not JSON" is a library's word with its offset, and in
// fuzzing it and encoding/json are held against the cursor. On top of the grammar, checked here because no such library
// does it all:
//   - strings are UTF-8 without half surrogate pairs, over the whole payload before anything else;
//   - objects and lists are at most MaxDepth deep, the payload at most MaxEvent bytes;
//   - no object, known or unknown, has two members of one name;
//   - numbers are bounded by domain.ParseDecimal;
//   - nothing follows the event's end.
package wire
