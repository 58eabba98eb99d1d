// Package reference keeps makegood's books a second time, from nothing but the contract's sentences.
//
// It exists to be compared with: whatever the production code books for a stream of events must equal what this package
// books for it. So it shares no code with it, uses exact fractions (math/big.Rat) throughout, knows no caches and no
// streaming, and works out every position from all events of its set again. Each function quotes the sentence of the
// contract that it implements, so that a controller can lay one beside the other:
//
//   - terms, periods, rates: what the stream books says; unit: which events belong together.
//   - view, facts, agree: which events of a set count; cases: what is known of a case.
//   - kinds, fixes: each kind of event, with the rule of what it posts by itself and what a random stream tells of it.
//   - sale, changes, refunds, promises (vouchers, disputes, claims), goods, returns, file: the parts of a position.
//   - books: the entries, as differences of positions in the sequence.
//   - order, report, service: the numbers.
//
// Run takes records as the log took them and gives Books. Journal writes the books as text for equality; Leakage,
// Order, Case and Serve read numbers back. Generate makes seeded random streams of valid events of every type; a
// stream is a pure function of its seed and options. KeepHistory, ReadHistory and Shrink keep what fails: package
// against compares domain with this one. So do the stream tests of projections/post and the chaos of cmd/makegood, with
// projectors and ClickHouse. All keep theirs, and one command replays a history, by both:
//
//	go test ./domain/reference/against ./projections/post -run '^TestReplay$' -history FILE
//
// It costs time that grows with the square of a unit's events: some 40 orders a second.
//
// # Validity is not checked here
//
// Events are taken to be valid by sections 2 and 3. What cannot be read at all makes Run fail; what is readable but
// breaks the contract (five decimals, an unknown kind) is posted as it stands. Refusing those is a gateway's work and
// is tested there.
//
// # Readings of the contract
//
// Where the contract leaves a choice, this is what the reference does:
//
//   - Which event of a fact counts, and which order a case is of, goes by the first in the sequence. First, later and
//     before of all else is by time, then source, id; the time of a fact is that of the event that counts.
//   - A decision and a rebuild that prices closed epochs are events of the sequence of each unit that they concern. A
//     rebuild prices what was recorded before it in its own epoch at once.
//   - A void is effective if no effective void is of it, and nobody decided against it. Where another source than the
//     void's still says the fact, the void waits for a person; what it voided stays voided.
//   - Of the events of a fact, in the sequence, each that agrees with all doubles so far joins them, else it waits.
//     Only events of the epoch of the first can count in its place; those of any epoch lend it a case or a tax.
//   - Two refunds agree if their nets are the same or, where one has no tax, their totals are.
//   - Who did it and with what (role, vehicle), the parts of a kit and the method of a refund, but for gift card and
//     store credit, are not money, goods or case: they don't contradict. What says the default (stops 1, goods, a no)
//     says nothing, but for credit, which turns the sign.
//   - The number of members counts those of lines, but none of order_id, store_id, error_id and currency.
//   - Where two stores placed one order, what the second source sent for it waits, but for what a person decided on by
//     itself. Where one source sent both, only the second order.placed waits.
//   - What is owed goes with the redeliveries dispatched first, each at its latest dispatch that is out.
//   - Nothing strays in a case found before delivery. In an over_shipped case what is open of S is a quantity by sku.
//   - S is what came by mistake less what added lines took of it, at least the cost of the returned lines that strayed.
//   - Without order.placed all expected and returned lines count; with it, a sku that is neither on the order nor a
//     component of a kit on it is not owed. The goods currency of a case is the order's, else its report's, else that
//     of its first goods.
//   - Sold returns count up to what is on the order and out on redeliveries, less what was counted before, by sku; the
//     nrv of a line that counts in part is taken in proportion. The cost of sold scrap is not asked for.
//   - Released compares with a price rounded half-even to 4 decimals, and asks for refunds above zero.
//   - Changes act on what is on the order before them in time. Each removed line is rounded by itself; what empties a
//     line takes what is left of it. A cancellation with lines that leaves none has cancelled the order whole.
//   - Amounts of step change have no case, but those of a refund that names one or posts in part.
//   - A refund that posts in part has its net in proportion, rounded, and the rest as tax.
//   - What goes back by gift card moves only what went back in cash; a store credit takes the rest from the gift card.
//   - A fee of a dispute that is returned is booked also where the opening is not known.
//   - voucher_redemption is looked up under key * alone. A key's own rate beats *, even where that of * came into force
//     later.
//   - A truck roll is one amount of two rates: where either is needed and missing, all of it is left out.
//   - tax on a voucher or store_credit is not posted.
//   - A line counts into cases and orders of a row even where another line in the same row takes it back.
//   - By posting period, a line whose own month was closed is dated the first day of the month it is posted in.
//   - effective_from may be a time or a date; a date begins at midnight in the books' time zone.
package reference
