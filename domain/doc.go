// Package domain says what happened and what it costs: the events of the contract, the rates and periods that stand
// over them, and what an order posts. It is pure: no clock, no I/O, no client library.
//
// A kind of event is declared once, in the file of its stream (kinds_orders.go, kinds_errors.go,
// kinds_redeliveries.go, kinds_books.go): its number, its name, how it posts, its probes, its data. The words of the
// contract (kinds of cases, causes, grades …) stand in words.go, accounts and elements in accounts.go; whoever needs
// one takes it from there.
//
// What an event posts depends on the other events of its unit, an order with its cases. Settle in settle_sequence.go
// makes the entries of a unit; the position_ files are the tables of the contract's §4, in its order and its words,
// so that a controller can lay the two side by side: position_counts.go and position_agree.go what counts,
// position_cases.go what a case is, position_goods.go and position_returns.go the goods of a case, position_sale.go
// sales and changes, position_refunds.go, position_claims.go (vouchers, disputes, claims), position_fixes.go (by
// event), position_cost.go; money.go rounds. Post in post.go posts what depends on nothing else, quickly. Package
// reference keeps the same books a second time, from the contract alone and with exact fractions; tests hold the one
// against the other.
//
// Numbers. An event's numbers are Decimals, integers of millionths; a journal line's amount is an Amount, an integer
// of ten-thousandths, exactly what ClickHouse's Decimal(18,4) stores. In between, sums and products are exact, in
// integers of 128 bits made of two words: an event's own bounds keep them inside (see exact in decimal.go), and
// posting an order doesn't allocate. cockroachdb's apd takes over where a divisor is wider; its BigInt did it all
// before and was a tenth of the projector's own time. Each line is rounded once, half to even.
//
// Clocks. What came before what is decided by places in the log (Position, Mark), not by anybody's clock. A record of
// the books stream carries where the other streams ended when it was written, so rates and closes divide them
// exactly.
package domain
