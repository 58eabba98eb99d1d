// Package simulator invents a distributor of parts ("right part, right size, on time") and tells its days in events:
// what was ordered, promised and delivered, what went wrong and what making it good took. It is pure: the same Config
// gives the same events, and the time is what the Config says.
//
// What it tells is meant to be found again in reports. One picker of the second store errs several times as often as
// the others, one vendor's goods break, one carrier is late, the third store promises more than it can keep, and
// customers who met an error come back less. The truck case of the contract, with its exact numbers, is part of every
// simulation.
//
// Its tills are those of real shops: they know little, know it late, say it twice and take it back. By default one
// order in ten is in trouble: 5 % go wrong and are reported, 2 % are edited or cancelled in part, 1 % are cancelled
// whole, of 2 % a cost is billed later, and of 1 % something is told by two systems. A mix-up is reported as
// unspecified, a refund names no case, two amounts stand under one refund_id until a person decides.
//
// A Story plants more: seasons, money spent on prevention with an effect that is known, vendors who worsen, customers
// whose large baskets fail more and who come back more, ratings that follow. Truth says what was planted.
//
// What it promises: times never go back, every id is told once but for what two systems tell, no refund is above what
// was paid, no voucher is used for more than it is worth, and every cost is there. What it settles to is balanced,
// priced and never flagged. The tests hold it to that.
//
// What it costs: some 2 million events a second on one core, 0.5 kB and 5 allocations each, and the events of the next
// weeks in memory (some 20 thousand where 2,000 orders a day are placed).
package simulator
