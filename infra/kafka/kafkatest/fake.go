// Package kafkatest starts brokers for tests: a fake one within the process,
// and real Apache Kafka as child processes.
//
// The fake one costs milliseconds and needs nothing. The real one needs a JDK, fetches its jars once with Maven and
// keeps them (CacheDir), and takes seconds and some hundred megabytes a node.
package kafkatest

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Fake is a broker, or several, within this process. It embeds the cluster
// itself, whose control over faults, leaders and groups tests may use.
type Fake struct {
	*kfake.Cluster
}

// Brokers are the addresses to connect to.
func (f *Fake) Brokers() []string { return f.ListenAddrs() }

// StartFake starts a fake cluster that ends with the test. By default it is one
// broker that keeps everything in memory.
func StartFake(t testing.TB, opts ...kfake.Opt) *Fake {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatalf("starting the fake cluster: %v", err)
	}
	t.Cleanup(c.Close)
	return &Fake{c}
}
