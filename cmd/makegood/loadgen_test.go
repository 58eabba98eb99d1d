package main

import (
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
	"github.com/makegood/makegood/infra/people"
)

// TestLoadgenHidesPeople: nobody stands in a topic by an id of theirs, also where no gateway hides them.
func TestLoadgenHidesPeople(t *testing.T) {
	broker := kafkatest.StartFake(t, kfake.AllowAutoTopicCreation(),
		kfake.SeedTopics(1, "makegood.orders", "makegood.errors", "makegood.redeliveries", "makegood.books"))
	brokers := strings.Join(broker.Brokers(), ",")
	if code, out, said := command(t, "loadgen", "--orders", "2", "--brokers", brokers); code == 0 ||
		!strings.Contains(said, "--people-key") {
		t.Errorf("without keys: %d %s %s", code, out, said)
	}
	file := filepath.Join(t.TempDir(), "people.key")
	if code, out, said := command(t, "loadgen", "--orders", "300", "--error-rate", "0.5", "--brokers", brokers,
		"--people-key", file); code != 0 {
		t.Fatalf("%d %s %s", code, out, said)
	}
	keys, err := people.Open(file, false, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	config := kafka.Config{Brokers: broker.Brokers()}
	admin, err := kafka.NewAdmin(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	ends, err := admin.Ends(t.Context(), "makegood.orders", "makegood.errors", "makegood.redeliveries")
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]int{} // how often somebody is there, by what they are
	id := regexp.MustCompile(`"(customer_id|employee_id)":"([^"]*)"`)
	for tp, end := range ends {
		tail, err := kafka.NewTail(kafka.TailConfig{Config: config, Topic: tp.Topic, Partition: tp.Partition})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = tail.Close() })
		if err := tail.ReadTo(t.Context(), end, func(r kafka.Record) error {
			for _, found := range id.FindAllStringSubmatch(string(r.Value), -1) {
				of[found[1]]++
				if !keys.Ring().IsHash(found[2]) {
					t.Errorf("%s holds the %s %q", r.Position, found[1], found[2])
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if of["customer_id"] == 0 || of["employee_id"] == 0 {
		t.Errorf("nobody is in the topics: %v", of)
	}
}
