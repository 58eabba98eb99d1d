//go:build realkafka

package kafka_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

// restartCommand is a command that restarts the first broker of a cluster.
func restartCommand(t *testing.T, r *kafkatest.Real) []string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := r.Restart(ctx, 0); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	self, err := os.Executable()
	must(t, err)
	return []string{"env", "KAFKA_TEST_ROLE=restart", "KAFKA_TEST_RESTART=http://" + l.Addr().String(), self}
}

func realUniversal(t *testing.T) (universal, *kafkatest.Real) {
	r := kafkatest.StartReal(t, kafkatest.Options{HeapMB: 512})
	return universal{config: kafka.Config{Brokers: r.Brokers()}, partitions: 8, replication: 1}, r
}

func TestRealUniversalSuiteUnordered(t *testing.T) {
	u, r := realUniversal(t)
	u.restart = restartCommand(t, r)
	u.run(t)
}

func TestRealUniversalSuiteOrdered(t *testing.T) {
	u, _ := realUniversal(t)
	u.ordered = true
	u.run(t)
}

func TestRealUniversalSuiteWithoutGroup(t *testing.T) {
	u, _ := realUniversal(t)
	u.oldMessages(t)
}
