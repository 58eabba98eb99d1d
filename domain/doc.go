// Package domain says what happened and what it costs: the events of the contract, the rates and periods that stand over
// them, and the posting rules that turn one event into one balanced journal entry. It is pure: no clock, no I/O, no
// client library.
//
// The posting rules are Post in post.go, in the order and the words of the contract's table, so that a controller can lay
// the two side by side. Package reference keeps the same books a second time, from the contract alone and with exact
// fractions; tests hold the one against the other.
//
// Numbers. An event's numbers are Decimals, integers of millionths; a journal line's amount is an Amount, an integer of
// ten-thousandths, exactly what ClickHouse's Decimal(18,4) stores. In between, sums and products are exact, in
// integers of 128 bits made of two words: an event's own bounds keep them inside (see exact in decimal.go), and posting an
// order doesn't allocate. cockroachdb's apd takes over where a divisor is wider; its BigInt did it all before and was a
// tenth of the projector's own time. Each line is rounded once, half to even.
//
// Clocks. What came before what is decided by places in the log (Position, Mark), not by anybody's clock. A record of the
// books stream carries where the other streams ended when it was written, so rates and closes divide them exactly.
package domain
