// Package insight answers the owner's questions from the books: who owes us, which promises cost what, what the
// customers say, which tills are silent. One question is one file: a Question in the list of Questions, with its .sql.
// From the declaration come the route, the command, the description in OpenAPI, and the table as CSV and XLSX.
//
// # Words
//
// Answer. A table (rows, and totals where a sum means something), further tables by name, and what is missing.
//
// Column. Its unit says what a value is: money (decimal text, 4 decimals), price (decimal text, 8 decimals: money per
// piece), share (decimal text from 0 to 1, 6 decimals), ratio (decimal text: no money), count (an integer), days and
// hours (decimal text), text, list (texts), yes_no (true or false), day (YYYY-MM-DD). What is not known is null.
//
// Estimate. A figure that a sample carries, never a sum of money. It has an interval, its level, n and its method, and
// says where there is not enough to tell. None is ever added to leakage. See the package estimate.
//
// Missing. What the answer doesn't know, by code: unpriced (events with a line that no rate could price), waiting
// (events that contradict another one and wait for a person), dead_letters (records that could not be booked) and
// unplaced (orders whose order.placed never came). An answer as of a moment says the first two.
//
// Link. Where the cases, orders or events are that a row counts and sums: the leakage report, a part of the answer, or
// a list, which is a question too (see listOf). A list is read by the statement that the figures are read by.
//
// # Adding a question
//
// Write a file with a Question and its Read, a .sql, a line in Questions, a section of dashboards/README.md named as
// the question's Heading, and a test against planted events with values worked out by hand. Read gets a Query that is
// valid and has a currency (unless the question is Plain) and gives rows; Ask adds totals, range, currency, moment and
// what is missing. Estimators stand in the package estimate, without SQL and without a clock.
//
// Errors are those of the package report: *report.Invalid, *report.SeveralCurrenciesError.
//
// What it costs: a question reads the roll-up, the events of a fix, and of the ledger the orders that they name; each
// says more in its own comment.
package insight
