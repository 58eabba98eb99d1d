// Package simulator invents a distributor of parts ("right part, right size, on time") and tells its days in events:
// what was ordered, promised and delivered, what went wrong and what making it good took. It is pure: the same Config
// gives the same events, and the time is what the Config says.
//
// What it tells is meant to be found again in reports. One picker of the second store errs several times as often as
// the others, one vendor's goods break, one carrier is late, the third store promises more than it can keep, and
// customers who met an error come back less. The truck case of the contract, with its exact numbers, is part of every
// simulation.
package simulator
