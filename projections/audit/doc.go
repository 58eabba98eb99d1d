// Package audit holds the books against other things: a month before it is closed, the log, payouts of a payment
// provider, and themselves. And it says who changed the books.
//
// It promises to name every difference up to a bound, and to count all of them. Reconcile reads all of the log and of
// the books: it is for the end of a month, not for a dashboard.
package audit
