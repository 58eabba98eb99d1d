//go:build realkafka

package main

import (
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

// TestRealDoctor breaks a deployment in one place after the other: the doctor names what is broken by its code, says
// what to do, and ends with status 1. It finds nothing else. Of a deployment that nobody has served yet it names what
// is missing.
func TestRealDoctor(t *testing.T) {
	r := kafkatest.StartReal(t, kafkatest.Options{HeapMB: 512})
	brokers := strings.Join(r.Brokers(), ",")
	_, port, err := net.SplitHostPort(freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	native, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	engine := newHost(t, "engine", hostArguments{Dir: t.TempDir(), NativePort: native})
	report, err := engine.await(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(r.Brokers()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()

	people := filepath.Join(t.TempDir(), "people.key")
	args := []string{"--brokers", brokers, "--clickhouse", report.DSN, "--people-key", people, "--partitions", "3"}
	doctor := func(what string, args []string, codes ...string) {
		t.Helper()
		looksWrong(t, what, args, codes)
	}
	doctor("nobody has served yet", args, "database", "group", "topic")
	m := newRole(t, "all", append([]string{"--http", freeAddress(t), "--data-dir", filepath.Join(t.TempDir(), "none")},
		args...)...)
	if _, err := m.await(t.Context()); err != nil {
		t.Fatal(err)
	}
	doctor("all is well", args)
	m.end(syscall.SIGTERM)
	doctor("nobody serves, and nothing is to be booked", args)

	setTopic(t, client, "makegood.errors", "retention.ms", "604800000")
	doctor("errors are dropped after a week", args, "topic")
	setTopic(t, client, "makegood.errors", "retention.ms", "-1")
	setTopic(t, client, "makegood.orders", "cleanup.policy", "compact")
	doctor("orders are compacted", args, "topic")
	setTopic(t, client, "makegood.orders", "cleanup.policy", "delete")
	doctor("the topics are mended", args)

	for i := range 110_000 {
		partition := int32(0)
		if i%100 == 0 {
			partition = 1
		}
		client.Produce(t.Context(), &kgo.Record{Topic: "makegood.redeliveries", Partition: partition}, nil)
	}
	if err := client.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	doctor("one partition has all, and nobody books it", args, "group", "skew")

	wrong := slices.Clone(args)
	wrong[3] = strings.Replace(report.DSN, "@", "x@", 1)
	doctor("another password", wrong, "connect", "group", "skew")
	engine.end(syscall.SIGKILL)
	doctor("no ClickHouse", args, "connect", "group", "skew")
	if err := r.Kill(0); err != nil {
		t.Fatal(err)
	}
	doctor("nothing answers", args, "brokers", "connect")
}

// looksWrong holds the codes of what the doctor finds wrong against those that are expected, in alphabetical order.
func looksWrong(t *testing.T, what string, args, codes []string) {
	t.Helper()
	if wrong, said := wrongCodes(t, args); !slices.Equal(wrong, codes) {
		t.Errorf("%s: found %v, and not %v\n%s", what, wrong, codes, said)
	}
}

func setTopic(t *testing.T, client *kgo.Client, topic, name, value string) {
	t.Helper()
	config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	config.Name, config.Value = name, kmsg.StringPtr(value)
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	resource.Configs = append(resource.Configs, config)
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	request.Resources = append(request.Resources, resource)
	answer, err := request.RequestWith(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range answer.Resources {
		if r.ErrorCode != 0 {
			t.Fatalf("%s of %s: error %d", name, topic, r.ErrorCode)
		}
	}
}
