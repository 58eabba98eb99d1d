// Package bench measures makegood on the machine that it runs on: the way of an event from the log into the books
// against ClickHouse's own Kafka engine, by stages, as history grows, its latency, the gateway, and a rebuild. Each
// figure says how it was taken where it is taken. A round of a million events takes some minutes.
package bench
