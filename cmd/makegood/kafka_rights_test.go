package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

var (
	quoted     = regexp.MustCompile("`(makegood[^`]*)`")
	operations = map[string]kmsg.ACLOperation{"Read": kmsg.ACLOperationRead, "Write": kmsg.ACLOperationWrite,
		"Describe": kmsg.ACLOperationDescribe, "DescribeConfigs": kmsg.ACLOperationDescribeConfigs,
		"Create": kmsg.ACLOperationCreate, "Delete": kmsg.ACLOperationDelete}
)

// rightsOf are the rights that a principal should have by Kafka's ACLs, as the operators' page lists them.
func rightsOf(t *testing.T, principal string) (acls []kfake.ACL) {
	t.Helper()
	page, err := os.ReadFile("../../infra/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 3 || !slices.Contains(strings.FieldsFunc(cells[0], func(r rune) bool {
			return strings.ContainsRune("| ,", r)
		}), principal) {
			continue
		}
		for part := range strings.SplitSeq(cells[1], ";") {
			resource := kmsg.ACLResourceTypeTopic
			if strings.Contains(part, "group") {
				resource = kmsg.ACLResourceTypeGroup
			}
			var names []string
			if strings.Contains(part, "four topics") {
				names = []string{"makegood.orders", "makegood.errors", "makegood.redeliveries", "makegood.books"}
			}
			for _, name := range quoted.FindAllStringSubmatch(part, -1) {
				names = append(names, name[1])
			}
			for _, word := range regexp.MustCompile(`[A-Za-z]+`).FindAllString(cells[2], -1) {
				operation, is := operations[word]
				for _, name := range names {
					if is {
						acls = append(acls, kfake.ACL{Resource: resource, Name: name, Operation: operation, Allow: true,
							Pattern: kmsg.ACLResourcePatternTypeLiteral})
					}
				}
			}
		}
	}
	if len(acls) == 0 {
		t.Fatalf("the page says nothing of %s", principal)
	}
	return acls
}

// TestKafkaRightsAreEnough: with the rights that the operators' page lists, and no other, each role does its work: what
// a till writes to Kafka, what comes over HTTP and what a shop sends is booked. A till can't write to other topics.
func TestKafkaRightsAreEnough(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	opts := []kfake.Opt{kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("PLAIN", "admin", "admin")}
	for _, name := range []string{"gateway", "projector", "exporter", "mapper", "senders"} {
		opts = append(opts, kfake.User("PLAIN", name, "secret", rightsOf(t, name)...))
	}
	fake := kafkatest.StartFake(t, opts...)
	dir := t.TempDir()
	secret := filepath.Join(dir, "kafka.secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	tills := writeTills(t, dir, shopTills, strings.Replace(shopMapping, ".COST", ".cost", 1))
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	books := booksOf(t, t.TempDir())
	clients := map[string]*client{}
	apps := map[string]*server.App{}
	for _, role := range []string{server.RoleGateway, server.RoleProjector, server.RoleExporter, server.RoleMapper} {
		apps[role], clients[role] = startTestAppWith(t, t.TempDir(), func(c *server.Config) {
			c.Brokers, c.ClickHouse, c.Roles, c.Tills = fake.Brokers(), books, []string{role}, tills
			c.Kafka = server.KafkaFlags{SASL: "plain", User: role, PasswordFile: secret}
			c.People.PeopleKey, c.TillsRetention = filepath.Join(dir, "people.key"), time.Hour
		})
	}
	tillWrites(ctx, t, fake)
	if code, said := postBody(t, clients["gateway"], "application/cloudevents+json", orderOf("by-http")); code != 202 {
		t.Errorf("over HTTP: %d %s", code, said)
	}
	if code, said := postBody(t, clients["gateway"], "application/cloudevents+json", event("rate", "rate.set",
		"2026-01-01T00:00:00Z", "", `{"rate":"labour_hour","key":"*","value":"30","currency":"USD",`+
			`"effective_from":"2026-01-01"}`)); code != 202 {
		t.Errorf("a rate: %d %s", code, said)
	}
	if err := deliver(ctx, clients["gateway"], "shop", "orders/create", shopOrder(7)); err != nil {
		t.Errorf("a shop: %v", err)
	}
	eachRoleWorks(ctx, t, clients, 4)
	if err := apps[server.RoleMapper].ExpireBodies(ctx, time.Now().Add(time.Hour)); err != nil {
		t.Errorf("the mapper can't delete what is old: %v", err)
	}
}

// eachRoleWorks waits until so many events are booked, and asks each role whether it can do its work.
func eachRoleWorks(ctx context.Context, t *testing.T, clients map[string]*client, events uint64) {
	t.Helper()
	for {
		var now status
		err := clients["gateway"].get(ctx, "/v1/status", nil, &now)
		if err == nil && now.Events == events && now.CaughtUp {
			break
		}
		if pause(ctx, 50*time.Millisecond) != nil {
			t.Fatalf("%+v: %v", now, err)
		}
	}
	for role, c := range clients {
		if err := c.get(ctx, "/readyz", nil, nil); err != nil {
			t.Errorf("%s: %v", role, err)
		}
	}
	if !strings.Contains(answered(t, clients["exporter"], "/metrics", nil), `topic="makegood.orders"`) {
		t.Error("the exporter doesn't say how far behind the group is")
	}
}

func orderOf(id string) string {
	return event(id, "order.placed", "2026-01-10T09:00:00Z", id, `{"order_id":"`+id+`","store_id":"s1","currency":"USD",`+
		`"lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"100","tax":"8","unit_cost":"60"}]}`)
}

// tillWrites writes as a till: what it may, and what it may not.
func tillWrites(ctx context.Context, t *testing.T, fake *kafkatest.Fake) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(fake.Brokers()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.DisableIdempotentWrite(), kgo.SASL(plain.Auth{User: "senders", Pass: "secret"}.AsMechanism()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	write := func(topic, body string) error {
		return client.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte(body), Headers: []kgo.RecordHeader{
			{Key: "content-type", Value: []byte("application/cloudevents+json")}}}).FirstErr()
	}
	if err := write("makegood.orders", orderOf("by-kafka")); err != nil {
		t.Errorf("a till can't write its orders: %v", err)
	}
	for _, topic := range []string{"makegood.books", "makegood.tills", "makegood.deadletters"} {
		if err := write(topic, orderOf("x")); !errors.Is(err, kerr.TopicAuthorizationFailed) {
			t.Errorf("a till writes to %s: %v", topic, err)
		}
	}
}
