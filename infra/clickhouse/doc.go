// Package clickhouse connects makegood to ClickHouse: it opens connections, brings the schema up to date, and writes
// the ledger.
//
// Reports go through clickhouse-go/v2. The ledger's rows go through ch-go, the same authors' lower layer: typed columns
// that are reused from batch to batch, where clickhouse-go's row append costs eight allocations a row. Migrations are
// goose's: plain SQL files with a version table, no driver of its own to bring along (golang-migrate's ClickHouse
// driver was weighed: it pulls a second client).
//
// # What an insert costs
//
// CPU of the server for each order event of 7 lines, in batches of 50,000, merges stopped; medians of 3 to 5
// alternating runs on a machine that others used as well, so compare and don't quote:
//
//	the ledger's table alone                                     5.6 µs
//	… without folding copies in the block (optimize_on_insert)   3.4 µs
//	… and in compact parts (min_bytes_for_wide_part)             2.2 µs
//	… with LZ4 in place of ZSTD(1) for the payload, wide parts   6.1 µs
//	the table with the feed of identities, wide parts            3.2 µs
//	the table with all four feeds, wide parts                    5.0 µs, and 6.2 µs with folding
//
// So copies within a batch are left to the readers, who read FINAL anyway.
//
// In batches of 20,000, the least of twelve runs each: 2.2 µs without feeds and 4.0 with all four. What a feed costs
// is hardly what it does: with any one of them left it is some 3.9, and neither deduplication, sparse columns, the skip
// index of the ledger nor that of identities make a difference. Larger batches, or rows that the projector writes to
// those tables itself, would win most of it back.
//
// Merges come on top, as much again as the inserts: see migration 00007. With them stopped altogether, makegood bench
// landed 115,000 events a second in its best round, with 14.7 µs of CPU an event of all processes, where it had 94,000
// to 107,000 and 17.5 to 18.9.
//
// # What reading it back costs
//
// A million rows, every tenth of them wanted, in ten parts that overlap: CPU of the server and of the reader, which
// does nothing with the rows. Three turns, best of each, beside others who worked on the same machine:
//
//	blocks as the server sends them by itself, of 1 MB     all 2.0 + 1.6 s   a tenth of them 1.4 + 0.24 s
//	blocks of 16 MB                                        all 1.8 + 1.7 s   a tenth of them 1.1 + 0.24 s
//
// A tenth costs half as much as all: rows stand in granules with others, and the server unpacks what it sorts out.
// FINAL costs little beside that.
package clickhouse
