// Package ledger is the table of events: one event is one row, with the event's data as it came and its journal lines.
// What the row's columns are stands once, in Columns: writer, reader and the check of the schema share it. To add a
// column, add an entry there, a field of Row and a migration.
//
// It promises that copies of one event collapse to the first recorded (see Row.Version), that a row's lines sum to zero
// when it is written and when it is read, and that a row read back is the row that was written.
//
// What it costs: an insert writes the ledger and, through materialized views, the four tables that are kept from it.
// See infra/clickhouse for measurements.
package ledger
