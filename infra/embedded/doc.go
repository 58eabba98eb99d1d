// Package embedded runs the outside world inside one data directory: a broker
// that speaks the Kafka protocol and a ClickHouse engine, with no container, no
// Java and nothing to configure.
package embedded
