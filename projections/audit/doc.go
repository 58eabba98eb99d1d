// Package audit holds the books against other things: a month before it is closed, the log, payouts of a payment
// provider, and themselves. And it says who changed the books.
//
// Closed months are sealed and verified here (seal.go, verify.go). The tree of a seal is made by
// github.com/transparency-dev/merkle (v0.0.2): the hashes and compact ranges of RFC 6962 on which certificate
// transparency logs run, kept by those who run them, Apache-2.0, no dependency, and a hash a level in memory however
// many the leaves. Of the standard library there is SHA-256 alone; a tree of our own would be as long and less tried.
//
// It promises to name every difference up to a bound, and to count all of them. Reconcile reads all of the log and of
// the books: it is for the end of a month, not for a dashboard.
package audit
