// Package clickhouse connects makegood to ClickHouse: it opens connections, brings the schema up to date, and writes the
// ledger.
//
// Reports go through clickhouse-go/v2. The ledger's rows go through ch-go, the same authors' lower layer: typed columns
// that are reused from batch to batch, where clickhouse-go's row append costs eight allocations a row. Migrations are
// goose's: plain SQL files with a version table, no driver of its own to bring along (golang-migrate's ClickHouse driver
// was weighed: it pulls a second client).
//
// # What an insert costs
//
// CPU of the server for each order event of 7 lines, in batches of 50,000, merges stopped; medians of 3 to 5 alternating
// runs on a machine that others used as well, so compare and don't quote:
//
//	the ledger's table alone                                     5.6 µs
//	… without folding copies in the block (optimize_on_insert)   3.4 µs
//	… and in compact parts (min_bytes_for_wide_part)             2.2 µs
//	… with LZ4 in place of ZSTD(1) for the payload, wide parts   6.1 µs
//	the table with the feed of identities, wide parts            3.2 µs
//	the table with all four feeds, wide parts                    5.0 µs, and 6.2 µs with folding
//
// So copies within a batch are left to the readers, who read FINAL anyway. The feeds of failures, voids and unpriced cost
// more than that of identities, though their filters let nothing of an order through.
package clickhouse
