package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

// asksWhoItIs is a broker with tokens of all sorts: none may do anything, reads, writes (to orders), both, all.
func asksWhoItIs(t *testing.T, config BrokerConfig) (b *Broker, as func(token string, opts ...kgo.Opt) *kgo.Client) {
	t.Helper()
	orders := func(topic string) bool { return topic == "orders" }
	principals := map[string]*Principal{"none": {Name: "n"}, "reads": {Name: "r", Read: true},
		"writes": {Name: "w", MayWrite: orders}, "both": {Name: "b", Read: true, MayWrite: orders},
		"all": {Name: "o", Own: true}}
	config.Dir, config.Groups = t.TempDir(), []string{"projector"}
	config.Authenticate = func(token string) (*Principal, error) {
		if p := principals[token]; p != nil {
			return p, nil
		}
		return nil, errors.New("no valid token")
	}
	b = startBroker(t, config)
	createTopicWith(t, stranger(t, b, kgo.Dialer(b.Dial)), "orders", "books")
	return b, func(token string, opts ...kgo.Opt) *kgo.Client {
		return stranger(t, b, append(opts, kgo.SASL(plain.Auth{User: "any", Pass: token}.AsMechanism()))...)
	}
}

// rawBatch is a batch of one record, as of a producer.
func rawBatch(id int64, epoch int16, attributes int16, value string) []byte {
	record := kmsg.Record{Value: []byte(value)}
	record.Length = int32(len(record.AppendTo(nil)) - 1)
	batch := kmsg.RecordBatch{Magic: 2, Attributes: attributes, FirstTimestamp: time.Now().UnixMilli(),
		MaxTimestamp: time.Now().UnixMilli(), ProducerID: id, ProducerEpoch: epoch, NumRecords: 1,
		Records: record.AppendTo(nil)}
	batch.Length = int32(len(batch.AppendTo(nil)) - 12)
	raw := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[batchCRCAt:], crc32.Checksum(raw[batchAttributesAt:], castagnoli))
	return raw
}

// writeRaw sends a batch, and returns what the broker answers.
func writeRaw(t *testing.T, client *kgo.Client, topic string, raw []byte, transaction *string) error {
	t.Helper()
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis, req.TransactionID = -1, 5000, transaction
	req.Topics = []kmsg.ProduceRequestTopic{{Topic: topic,
		Partitions: []kmsg.ProduceRequestTopicPartition{{Records: raw}}}}
	answer, err := client.Request(testContext(t), req)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(answer.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode)
}

// TestBrokerLetsNobodyOpenTransactions: whatever a token allows, and where nobody is asked for one, no transaction
// holds records back from readers of what is committed, and nobody commits offsets in one.
func TestBrokerLetsNobodyOpenTransactions(t *testing.T) {
	open := startBroker(t, BrokerConfig{Dir: t.TempDir(), Groups: []string{"projector"}})
	createTopicWith(t, stranger(t, open, kgo.Dialer(open.Dial)), "orders", "books")
	asking, as := asksWhoItIs(t, BrokerConfig{})
	clients := map[string]func(...kgo.Opt) *kgo.Client{
		"anybody": func(opts ...kgo.Opt) *kgo.Client { return stranger(t, open, opts...) }}
	for _, token := range []string{"none", "reads", "writes", "both"} {
		clients[token] = func(opts ...kgo.Opt) *kgo.Client { return as(token, opts...) }
	}
	for name, client := range clients {
		for _, topic := range []string{"orders", "books"} {
			inTransaction := client(kgo.TransactionalID("tx-" + name))
			err := inTransaction.BeginTransaction()
			if err == nil {
				err = write(t, inTransaction, &kgo.Record{Topic: topic, Value: []byte("held")})
			}
			if !errors.Is(err, kerr.TransactionalIDAuthorizationFailed) && !errors.Is(err, kerr.TopicAuthorizationFailed) {
				t.Errorf("%s opened a transaction on %s: %v", name, topic, err)
			}
			other := client()
			id := "raw-" + name
			for _, raw := range [][]byte{rawBatch(7, 0, transactionalBit, "held"), rawBatch(-1, -1, transactionalBit, "held")} {
				for _, said := range []*string{&id, nil} {
					if err := writeRaw(t, other, topic, raw, said); err == nil {
						t.Errorf("%s wrote a batch of a transaction to %s", name, topic)
					}
				}
			}
			for _, req := range []kmsg.Request{
				&kmsg.AddPartitionsToTxnRequest{TransactionalID: id, ProducerID: 7,
					Topics: []kmsg.AddPartitionsToTxnRequestTopic{{Topic: topic, Partitions: []int32{0}}}},
				&kmsg.AddOffsetsToTxnRequest{TransactionalID: id, ProducerID: 7, Group: "other"},
				&kmsg.TxnOffsetCommitRequest{TransactionalID: id, ProducerID: 7, Group: "projector"},
				&kmsg.EndTxnRequest{TransactionalID: id, ProducerID: 7},
			} {
				if answer, err := other.Request(testContext(t), req); err == nil {
					t.Errorf("%s: %s is answered: %+v", name, kmsg.NameForKey(req.Key()), answer)
				}
			}
		}
	}
	for _, b := range []*Broker{open, asking} {
		ours := stranger(t, b, kgo.Dialer(b.Dial))
		reader := stranger(t, b, kgo.Dialer(b.Dial), kgo.ConsumeTopics("orders", "books"),
			kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		var got []string
		for _, topic := range []string{"orders", "books"} {
			if err := write(t, ours, &kgo.Record{Topic: topic, Value: []byte("after")}); err != nil {
				t.Fatal(err)
			}
		}
		for len(got) < 2 {
			fetches := reader.PollFetches(testContext(t))
			if err := fetches.Err(); err != nil {
				t.Fatal(err)
			}
			fetches.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
		}
		if fmt.Sprint(got) != "[after after]" {
			t.Errorf("a reader of what is committed sees %q", got)
		}
	}
}

// TestProducersKeepTheirIDs: a producer goes on writing, whatever another one writes in its name. However many ids
// somebody asks for, no more than the bound are kept; what is written beyond it is kept all the same.
func TestProducersKeepTheirIDs(t *testing.T) {
	b, as := asksWhoItIs(t, BrokerConfig{mostProducers: 3})
	till := as("writes")
	if err := write(t, till, &kgo.Record{Topic: "orders", Value: []byte("first")}); err != nil {
		t.Fatal(err)
	}
	var id int64
	reader := stranger(t, b, kgo.Dialer(b.Dial), kgo.ConsumeTopics("orders"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	read := func(n int) (got []*kgo.Record) {
		t.Helper()
		for len(got) < n {
			fetches := reader.PollFetches(testContext(t))
			if err := fetches.Err(); err != nil {
				t.Fatal(err)
			}
			got = append(got, fetches.Records()...)
		}
		return got
	}
	if id = read(1)[0].ProducerID; id < 0 {
		t.Fatalf("the till's own id is %d", id)
	}
	other := as("both")
	for _, epoch := range []int16{0, 1, 9} {
		if err := writeRaw(t, other, "orders", rawBatch(id, epoch, 0, "forged"), nil); !errors.Is(err,
			kerr.InvalidProducerIDMapping) {
			t.Errorf("another's id with epoch %d: %v", epoch, err)
		}
	}
	if err := write(t, till, &kgo.Record{Topic: "orders", Value: []byte("second")}); err != nil {
		t.Errorf("the till was shut out: %v", err)
	}
	ids := map[int64]bool{}
	for range 20 {
		answer, err := other.Request(testContext(t), kmsg.NewPtrInitProducerIDRequest())
		if err != nil {
			t.Fatal(err)
		}
		got := answer.(*kmsg.InitProducerIDResponse)
		ids[got.ProducerID] = true
		if err := writeRaw(t, other, "orders", rawBatch(got.ProducerID, 0, 0, "many"), nil); err != nil {
			t.Errorf("a producer beyond the bound: %v", err)
		}
	}
	if len(ids) != 20 {
		t.Errorf("20 producers got %d ids", len(ids))
	}
	known := map[int64]bool{}
	for _, r := range read(21) {
		known[r.ProducerID] = true
	}
	if len(known) != 4 || !known[-1] || !known[id] {
		t.Errorf("the log holds records of the producers %v", known)
	}
}

// TestStrangersTakeLittle: a claim of a size takes no memory. The broker hangs up on a client that doesn't say who it
// is, or doesn't send all of what it has begun; others are served.
func TestStrangersTakeLittle(t *testing.T) {
	b, as := asksWhoItIs(t, BrokerConfig{loginTime: 500 * time.Millisecond, bodyTime: 500 * time.Millisecond})
	hungUp := func(what string, c net.Conn) {
		t.Helper()
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection stays open: %v", what, err)
		}
	}
	dial := func(first ...byte) net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", b.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() }) // the other end closed it
		if _, err := c.Write(first); err != nil {
			t.Fatal(err)
		}
		return c
	}
	claim := func(size uint32, kind kmsg.Key) []byte {
		head := binary.BigEndian.AppendUint32(nil, size)
		return binary.BigEndian.AppendUint32(head, uint32(kind)<<16)
	}
	hungUp("silence", dial())
	hungUp("half a request", dial(claim(100, kmsg.ApiVersions)...))
	hungUp("a large claim of one who is unknown", dial(claim(90<<20, kmsg.ApiVersions)...))
	hungUp("a large login", dial(claim(90<<20, kmsg.SASLAuthenticate)...))
	b = startBroker(t, BrokerConfig{Dir: t.TempDir(), bodyTime: 500 * time.Millisecond, loginTime: time.Hour})
	hungUp("open: a large claim", dial(claim(90<<20, kmsg.Metadata)...))
	hungUp("open: records that don't come", dial(claim(30<<20, kmsg.Produce)...))
	hungUp("open: too many records", dial(claim(90<<20, kmsg.Produce)...))
	if err := write(t, as("writes"), &kgo.Record{Topic: "orders", Value: []byte("x")}); err != nil {
		t.Error(err)
	}
}
