package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/projections/ledger"
)

// answeredFor are the kinds of requests that the broker inside answers to who has a token, by the scopes of it that
// suffice, and why. Of all other kinds nobody but makegood itself gets an answer.
var answeredFor = map[kmsg.Key]struct{ scopes, why string }{
	kmsg.ApiVersions:             {"read write books", "what the broker knows"},
	kmsg.SASLHandshake:           {"read write books", "to say who it is"},
	kmsg.SASLAuthenticate:        {"read write books", "to say who it is"},
	kmsg.Metadata:                {"read write books", "where topics are; makes none"},
	kmsg.DescribeCluster:         {"read write books", "where topics are"},
	kmsg.DescribeTopicPartitions: {"read write books", "where topics are"},
	kmsg.DescribeConfigs:         {"read write books", "how large a record may be"},
	kmsg.FindCoordinator:         {"read write books", "where a group is"},
	kmsg.InitProducerID:          {"read write books", "a number, which the guard gives; none for a transaction"},
	kmsg.Produce:                 {"read write books", "an empty one; records are held against the token"},
	kmsg.Fetch:                   {"read", "records, but of makegood.tills"},
	kmsg.ListOffsets:             {"read", "where records are"},
	kmsg.OffsetForLeaderEpoch:    {"read", "where records are"},
	kmsg.OffsetFetch:             {"read", "where a group is"},
	kmsg.ListGroups:              {"read", "where a group is"},
	kmsg.DescribeGroups:          {"read", "where a group is"},
	kmsg.ConsumerGroupDescribe:   {"read", "where a group is"},
	kmsg.DescribeProducers:       {"read", "why a record is not read yet"},
	kmsg.DescribeTransactions:    {"read", "why a record is not read yet"},
	kmsg.ListTransactions:        {"read", "why a record is not read yet"},
	kmsg.JoinGroup:               {"read", "a group of its own, never one of makegood's"},
	kmsg.SyncGroup:               {"read", "a group of its own"},
	kmsg.Heartbeat:               {"read", "a group of its own"},
	kmsg.LeaveGroup:              {"read", "a group of its own"},
	kmsg.ConsumerGroupHeartbeat:  {"read", "a group of its own"},
	kmsg.OffsetCommit:            {"read", "a group of its own"},
	kmsg.DeleteTopics:            {"refused", "what is acknowledged is kept"},
	kmsg.DeleteRecords:           {"refused", "makegood alone, in makegood.tills"},
	kmsg.CreatePartitions:        {"refused", "a key must stay in its partition"},
	kmsg.AlterConfigs:            {"refused", "retention is unlimited"},
	kmsg.IncrementalAlterConfigs: {"refused", "retention is unlimited"},
	kmsg.DeleteGroups:            {"refused", "what is booked up to where"},
	kmsg.OffsetDelete:            {"refused", "what is booked up to where"},
}

// asked sends requests one after the other through a connection of their own, as who has a token, and returns the
// answer to the last; nil where the broker hangs up.
func asked(t *testing.T, addr, token string, last kmsg.Request) []byte {
	t.Helper()
	handshake, authenticate := kmsg.NewPtrSASLHandshakeRequest(), kmsg.NewPtrSASLAuthenticateRequest()
	handshake.Version, handshake.Mechanism = 1, "PLAIN"
	authenticate.SASLAuthBytes = []byte("\x00any\x00" + token)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	format := kmsg.NewRequestFormatter(kmsg.FormatterClientID("stranger"))
	var answer []byte
	for i, r := range []kmsg.Request{handshake, authenticate, last} {
		if _, err = conn.Write(format.AppendRequest(nil, r, int32(i))); err != nil {
			break
		}
		var length [4]byte
		if _, err = io.ReadFull(conn, length[:]); err != nil {
			break
		}
		answer = make([]byte, binary.BigEndian.Uint32(length[:]))
		if _, err = io.ReadFull(conn, answer); err != nil {
			break
		}
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("%s, version %d: no answer, and nobody hung up", kmsg.NameForKey(last.Key()), last.GetVersion())
	}
	if err != nil {
		return nil
	}
	return answer
}

// TestKafkaKeysByScope sends every kind of request that Kafka has, in its oldest, its newest and a version between,
// with a token of each scope; and tries with each to change or delete what the books rely on.
func TestKafkaKeysByScope(t *testing.T) {
	t.Parallel()
	access := filepath.Join(t.TempDir(), "access")
	tokens := map[string]string{}
	for _, scope := range []string{"read", "write", "books"} {
		code, out, said := command(t, "token", "new", "--access-file", access, "--name", scope, "--scope", scope)
		if code != 0 {
			t.Fatalf("%d: %s", code, said)
		}
		tokens[scope] = strings.TrimSpace(out)
	}
	app, _ := startTestAppWith(t, t.TempDir(), func(c *server.Config) { c.Access.AccessFile = access })
	addr := app.Brokers[0]
	seen := 0
	for scope, token := range tokens {
		for key := range int16(kmsg.MaxKey + 1) {
			want := answeredFor[kmsg.Key(key)].scopes
			may, got := want == "refused" || strings.Contains(want, scope), false
			for of := range int16(3) {
				r := kmsg.RequestForKey(key)
				if r == nil {
					continue
				}
				r.SetVersion(r.MaxVersion() * of / 2)
				if produce, is := r.(*kmsg.ProduceRequest); is {
					produce.Acks = -1 // to be answered
				}
				seen++
				got = asked(t, addr, token, r) != nil || got
			}
			if got != may {
				t.Errorf("%s with the scope %s: answered %t", kmsg.NameForKey(key), scope, got)
			}
		}
	}
	if seen < 300 {
		t.Errorf("only %d requests were tried", seen)
	}
	for scope, token := range tokens {
		client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.RecordPartitioner(kgo.ManualPartitioner()),
			kgo.SASL(plain.Auth{User: "any", Pass: token}.AsMechanism()), kgo.RequestRetries(0), kgo.RecordRetries(0),
			kgo.RetryTimeout(5*time.Second), kgo.MaxVersions(kversion.V3_0_0())) // that name topics
		if err != nil {
			t.Fatal(err)
		}
		changesNothing(t, client, scope)
		client.Close()
	}
}

// changesNothing tries with a token of one scope what would change or delete what the books rely on.
func changesNothing(t *testing.T, client *kgo.Client, scope string) {
	t.Helper()
	topic, value, none := "makegood.orders", "1", "transaction"
	policy := fmt.Sprint(kerr.PolicyViolation.Code)
	move := kmsg.NewPtrOffsetCommitRequest()
	move.Group, move.Generation = "makegood-projector", -1
	move.Topics = []kmsg.OffsetCommitRequestTopic{{Topic: topic,
		Partitions: []kmsg.OffsetCommitRequestTopicPartition{{Offset: 9}}}}
	initialise := kmsg.NewPtrInitProducerIDRequest()
	initialise.TransactionalID = &none
	for _, c := range []struct {
		request kmsg.Request
		code    string // of the refusal; empty is to hang up
	}{
		{&kmsg.DeleteTopicsRequest{TopicNames: []string{topic}, Topics: []kmsg.DeleteTopicsRequestTopic{{Topic: &topic}}},
			policy},
		{&kmsg.DeleteRecordsRequest{Topics: []kmsg.DeleteRecordsRequestTopic{{Topic: topic,
			Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Offset: 1}}}}}, policy},
		{&kmsg.IncrementalAlterConfigsRequest{Resources: []kmsg.IncrementalAlterConfigsRequestResource{{
			ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: topic,
			Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: "retention.ms", Value: &value}}}}}, policy},
		{&kmsg.AlterConfigsRequest{Resources: []kmsg.AlterConfigsRequestResource{{
			ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: topic,
			Configs: []kmsg.AlterConfigsRequestResourceConfig{{Name: "retention.ms", Value: &value}}}}}, policy},
		{&kmsg.CreatePartitionsRequest{Topics: []kmsg.CreatePartitionsRequestTopic{{Topic: topic, Count: 9}}}, policy},
		{&kmsg.DeleteGroupsRequest{Groups: []string{"makegood-projector"}}, policy},
		{initialise, fmt.Sprint(kerr.TransactionalIDAuthorizationFailed.Code)},
		{move, ""},
		{&kmsg.CreateTopicsRequest{Topics: []kmsg.CreateTopicsRequestTopic{{Topic: "more", NumPartitions: 1,
			ReplicationFactor: 1}}}, ""},
		{&kmsg.EndTxnRequest{TransactionalID: none}, ""},
	} {
		answer, err := client.Request(t.Context(), c.request)
		if c.code == "" && err == nil || c.code != "" && !strings.Contains(fmt.Sprintf("%+v", answer), "ErrorCode:"+c.code) {
			t.Errorf("%s with the scope %s: %+v %v", kmsg.NameForKey(c.request.Key()), scope, answer, err)
		}
	}
	headers := []string{"", ledger.EndsHeader, ledger.FirstHeader, ledger.TokenHeader, ledger.CustomerHeader}
	for _, topic := range []string{"makegood.orders", "makegood.errors", "makegood.redeliveries", "makegood.books",
		"makegood.deadletters", "makegood.tills"} {
		for _, header := range headers {
			r := &kgo.Record{Topic: topic, Value: []byte("x")}
			if header != "" {
				r.Headers = []kgo.RecordHeader{{Key: strings.ToUpper(header[:1]) + header[1:], Value: []byte("0/0")}}
			}
			err := client.ProduceSync(t.Context(), r).FirstErr()
			of := map[string]bool{"makegood.orders": true, "makegood.errors": true, "makegood.redeliveries": true}
			if may := scope != "read" && of[topic] && header == ""; (err == nil) != may {
				t.Errorf("to %s with the header %q and the scope %s: %v", topic, header, scope, err)
			}
		}
	}
}

// TestKafkaHeadersTwice: of a header that a record has twice, the broker inside asks of the one that is booked: a till
// gets no event in under another's source by naming both.
func TestKafkaHeadersTwice(t *testing.T) {
	t.Parallel()
	access := filepath.Join(t.TempDir(), "access")
	code, token, said := command(t, "token", "new", "--access-file", access, "--name", "till", "--scope", "write",
		"--source", "urn:till:1")
	if code != 0 {
		t.Fatalf("%d: %s", code, said)
	}
	app, _ := startTestAppWith(t, t.TempDir(), func(c *server.Config) { c.Access.AccessFile = access })
	client, err := kgo.NewClient(kgo.SeedBrokers(app.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.SASL(plain.Auth{User: "any", Pass: strings.TrimSpace(token)}.AsMechanism()), kgo.RecordRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const own, foreign = "urn:till:1", "urn:till:2"
	taken := 0
	for i, sources := range [][4]string{{"ce_source", own, "ce_source", own}, {"ce_source", own, "ce_source", foreign},
		{"ce_source", foreign, "ce_source", own}, {"ce_source", own, "CE_Source", foreign},
		{"CE_Source", foreign, "ce_source", own}, {"ce_source", foreign, "CE_SOURCE", own}} {
		r := &kgo.Record{Topic: "makegood.orders", Value: []byte(fmt.Sprintf(`{"order_id":"o%d","store_id":"s1","currency":`+
			`"USD","lines":[{"line_id":"1","sku":"M","quantity":1,"unit_price":"9","unit_cost":"1"}]}`, i))}
		for _, h := range [][2]string{{"content-type", "application/json"}, {"ce_specversion", "1.0"},
			{"ce_type", "makegood.order.placed.v1"}, {"ce_id", fmt.Sprint(i)}, {"ce_time", "2026-01-10T09:00:00Z"},
			{"ce_subject", fmt.Sprint("o", i)},
			{sources[0], sources[1]}, {sources[2], sources[3]}} {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: h[0], Value: []byte(h[1])})
		}
		if client.ProduceSync(t.Context(), r).FirstErr() == nil {
			taken++
		}
	}
	var booked, others uint64
	for deadline := time.Now().Add(time.Minute); booked == 0 || booked+others < uint64(taken); {
		time.Sleep(50 * time.Millisecond)
		if err := app.Store.DB.QueryRow(t.Context(), `SELECT countIf(source = 'urn:till:1'), countIf(source != 'urn:till:1')
FROM ledger FINAL WHERE order_id != ''`).Scan(&booked, &others); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("of %d records %d are booked", taken, booked+others)
		}
	}
	if others > 0 || taken == 6 {
		t.Errorf("%d records were taken, %d are booked under another's source", taken, others)
	}
}
