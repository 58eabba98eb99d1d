//go:build !race

package kafka_test

// raceDetected says that this binary looks for data races.
const raceDetected = false
