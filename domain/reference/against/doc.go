// Package against holds what domain makes of an order against the second set of books: its tests, for package reference
// imports nothing of makegood. They promise that both say the same of every unit of random streams, event by event, and
// keep the history of a unit of which they don't. A hundred streams take some seconds.
package against
