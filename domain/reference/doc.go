// Package reference keeps makegood's books a second time, from nothing but the contract's tables.
//
// It exists to be compared with: whatever the production code books for a stream of events must equal what this package
// books for it. So it shares no code with it, uses exact fractions (math/big.Rat) throughout, knows no caches and no
// streaming, and prefers a rule that a controller can lay beside the contract over a rule that is fast. The posting table
// is in postings.go, one row of Go per row of the contract's section 4.
//
// Run takes records as the log took them and gives Books: entries, what was refused, what had no price. Journal writes the
// books as text for equality, Leakage and Order read numbers back by section 5. Generate makes seeded random streams of
// valid events of every type.
//
// # Validity is not checked here
//
// Events are taken to be valid by sections 2 and 3. What cannot be read at all makes Run fail; what is readable but breaks
// the contract (five decimals, an unknown kind) is posted as it stands. Refusing those is a gateway's work and is tested there.
//
// # Readings of the contract
//
// Where the contract leaves a choice, this is what the reference does:
//
//   - net of order.placed is Σ(quantity×unit_price − discount) + delivery_fee, tax is Σ tax + delivery_tax.
//   - A journal line that needs a missing rate is left out together with its other half, so that the entry still balances;
//     the other lines of the same event are posted (an order without a known cost still has its sales). On error.reported
//     what was expected and what was received are priced apart: the one may be posted without the other. A b_grade return
//     of a wrong item without cost posts nothing for that item, not even its nrv.
//   - The truck roll is one line of two rates: where either is needed and missing, all of it is left out. A rate is needed
//     only where its minutes or kilometres are not zero.
//   - A rate is asked for only where a row needs it: a sold b_grade return needs its nrv alone, a sold scrap return nothing.
//   - nrv absent on a b_grade return is zero (prudence). nrv above cost is posted as the formula says: a negative write-down.
//   - order.cancelled without cost, and any optional amount left out, is zero and not unpriced.
//   - tax on a voucher or store_credit is not posted: the table has no row for it.
//   - voucher_redemption is looked up under key * alone: its key is neither a role, nor a vehicle, nor a sku.
//   - A key's own rate beats *, even where the rate of * came into force later.
//   - store of a line is its event's own; vendor, employee, kind, root_cause, party_at_fault, avoidable are the case's.
//   - A void's lines belong to the order, case and store of what it voids, and are dated and put in a period by the void itself.
//   - A void whose original is unknown is computed as if the original had been recorded together with the void: its own
//     time, the rates recorded by the void. A void of a void is refused: send the event again under a new identity.
//     Once the original is recorded, the void is its exact negation, whatever was computed before: where a rate was recorded
//     between the two, a report as_of a time between them differs from what the void's line is later. But where the month
//     that the void happened in, or a later one, was closed between the two, its report must not change: then the void keeps what was computed from the
//     original that it carries, and the original is the exact negation of the void.
//   - A voided rate or close stops counting for what is recorded after the void; what was recorded before keeps its lines.
//   - A voided event without a price stays listed as unpriced; the void itself is not.
//   - A line counts into cases and orders of a row even where its void is in the same row and the two sum to zero.
//   - An error.classified counts whatever its time, also one earlier than the report.
//   - By posting period, a line whose own month was closed is dated the first day of the month it is posted in.
//   - apart.changed_mind is the net of the changed_mind cases. It obeys the same range, view and currency as the rows.
//   - perfect contribution counts order.placed and the voids of order.placed: a voided order has promised nothing.
//   - effective_from may be a time or a date; a date begins at midnight in the books' time zone.
package reference
