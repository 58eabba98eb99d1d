// Package clickhouse connects makegood to ClickHouse: it opens connections, brings the schema up to date, and writes the
// ledger.
//
// Reports go through clickhouse-go/v2. The ledger's rows go through ch-go, the same authors' lower layer: typed columns
// that are reused from batch to batch, where clickhouse-go's row append costs eight allocations a row. Migrations are
// goose's: plain SQL files with a version table, no driver of its own to bring along (golang-migrate's ClickHouse driver
// was weighed: it pulls a second client).
package clickhouse
