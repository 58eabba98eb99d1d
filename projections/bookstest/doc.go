// Package bookstest books streams of the second set of books' generator into a ClickHouse, and holds what comes out
// against that second set. It is for tests: of the rooms of projections, and of the commands.
//
// The log is in memory: a test chooses in which order, how often and in which batches projectors meet the records, and
// what they know of the books stream by then. The engine is one for a test binary, as enginetest starts it, and each
// test has a database of its own.
package bookstest
