// Package against holds what domain makes of an order against the second set of books. It has tests alone, which can't
// be in package reference, since that imports nothing of makegood. They promise that both say the same of every unit of
// random streams, event by event, and keep the history of a unit where they differ. A hundred streams take some
// seconds.
package against
