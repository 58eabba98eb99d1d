// Package report is the way of a question: one question a file. A question is a struct that validates itself and gives
// its statements. The answer is a struct with JSON names. What is asked of ClickHouse stands in sql/*.sql; testdata
// holds what that comes to, so that a change of what is asked is seen as one. Reports read the books and change
// nothing; they know nothing of posting.
//
// It promises that amounts are exact (decimals in strings, 4 after the point), that amounts of several currencies are
// never summed, and that an answer as of a close stays the same for ever.
//
// What it costs: questions of leakage read the roll-up, some rows a case; a question as of a moment reads the table
// failures, a tenth of the ledger; a summary reads its period of the ledger once.
package report
