// Package wire reads and writes the events of the contract: CloudEvents 1.0 in JSON, structured and binary, into
// domain.Event and back.
//
// # One table per event
//
// What the contract says of an event's members (name, kind of value, required or not) stands once, in the table of its
// type: orders.go, cases.go, redeliveries.go, books.go. Reading, writing and the content hash all follow that table, so
// they can't drift apart, and a person can hold it against the contract line by line.
//
// # Two passes, one allocation-free decoder
//
// The first pass walks the envelope and cuts `data` out as raw JSON, because `type` may stand behind it. The second walks
// the data with the type's table, fills structs that belong to the Decoder, and sums up the content hash as it goes. Strings
// alias the payload. In the steady state nothing is allocated per event; only escaped keys, dead letters and the
// first use of something (a time zone, more lines than ever before, a void's nested decoder) are.
//
// # Why jx
//
// The tokens come from github.com/go-faster/jx: a pull parser over a byte slice that hands out strings and numbers as
// pieces of its input. So numbers are read from their digits and never become a float, and there is no reflection.
// encoding/json goes through floats or json.Number and allocates per member; sonic is as fast but compiles code at
// run time, per architecture. What jx doesn't do is done here:
//   - it doesn't check UTF-8, and turns half a surrogate pair into U+FFFD: checked over the whole payload first;
//   - its limit of depth is 10,000: ours is MaxDepth, counted in the second pass. A payload of at most MaxEvent bytes keeps
//     the recursion of the first pass small;
//   - it takes the last of two members with one name, or both: found here in every object, known or unknown;
//   - its numbers may have any size: domain.ParseDecimal bounds them;
//   - it stops at the end of the value: trailing bytes are refused here.
package wire
