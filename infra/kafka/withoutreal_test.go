//go:build !realkafka

package kafka_test

import "testing"

// TestRealKafkaIsNotPartOfThisRun says aloud what this run doesn't show.
func TestRealKafkaIsNotPartOfThisRun(t *testing.T) {
	t.Log("the tests against real Apache Kafka are not part of this run; they are with: go test -tags realkafka " +
		"./infra/kafka/...")
}
