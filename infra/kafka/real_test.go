//go:build realkafka

package kafka_test

import (
	"context"
	"crypto/tls"
	"errors"
	"github.com/ThreeDotsLabs/watermill/message"
	kafkago "github.com/segmentio/kafka-go"
	"net"
	"net/http"
	"os"
	"slices"
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
	if !raceDetected {
		// The suite's test of reconnecting has a data race of its own: it reads
		// the list of what it published while a goroutine appends to it.
		// TestRealBrokerRestartsInFlow shows the same to the race detector.
		u.restart = restartCommand(t, r)
	}
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

// realFlow is messages on their way through a topic that is replicated as well
// as the cluster can.
func realFlow(t *testing.T, r *kafkatest.Real) *flow {
	cfg := kafka.SubscriberConfig{
		Config: testConfig(t, r.Brokers()), Group: "g", CommitInterval: 100 * time.Millisecond,
		SessionTimeout: 3 * time.Second, HeartbeatInterval: 200 * time.Millisecond, DrainTimeout: time.Second,
		CommitTimeout: time.Second,
	}
	spec := kafka.TopicSpec{Name: "things", Partitions: 6, Replication: min(3, r.Nodes())}
	if r.Nodes() >= 3 {
		spec.Config = map[string]string{"min.insync.replicas": "2"}
	}
	_, err := newAdmin(t, cfg.Config).EnsureTopics(context.Background(), []kafka.TopicSpec{spec})
	must(t, err)
	return newFlow(t, cfg, "things")
}

func waitFor(t *testing.T, r *kafkatest.Real, brokers int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	must(t, r.Wait(ctx, brokers))
}

// Three replicas, two of which must have a message before it is acknowledged:
// one broker after the other is killed or made to stand still while messages
// flow, and comes back.
func TestRealClusterLosesBrokers(t *testing.T) {
	r := kafkatest.StartReal(t, kafkatest.Options{Nodes: 3})
	rnd := seeded(t)
	f := realFlow(t, r)
	f.publish(4)
	f.watchCommits()
	defer f.consume()()
	defer f.consume()()
	for round := range 4 {
		time.Sleep(2 * time.Second)
		node := rnd.IntN(3)
		if round%2 == 0 {
			t.Logf("killing node %d", node)
			must(t, r.Kill(node))
			time.Sleep(6 * time.Second)
			must(t, r.Start(node))
		} else {
			t.Logf("pausing node %d", node)
			must(t, r.Pause(node))
			time.Sleep(6 * time.Second)
			f.woke.Store(time.Now().UnixNano())
			must(t, r.Resume(node))
		}
		waitFor(t, r, 3)
	}
	f.finish()
}

func TestRealBrokerRestartsInFlow(t *testing.T) {
	r := kafkatest.StartReal(t, kafkatest.Options{})
	f := realFlow(t, r)
	f.publish(4)
	f.watchCommits()
	defer f.consume()()
	for round := range 2 {
		time.Sleep(time.Second)
		if round == 0 {
			must(t, r.Stop(0))
		} else {
			must(t, r.Kill(0))
		}
		must(t, r.Start(0))
		waitFor(t, r, 1)
	}
	f.finish()
}

func TestRealConsumersComeAndGo(t *testing.T) {
	r := kafkatest.StartReal(t, kafkatest.Options{})
	f := realFlow(t, r)
	f.publish(4)
	f.watchCommits()
	f.churn(seeded(t), 15*time.Second)
	f.finish()
}

func TestRealSecurity(t *testing.T) {
	r := kafkatest.StartReal(t, kafkatest.Options{MutualTLS: true, SASL: true})
	trust, err := kafka.TLSFromPEM(r.Certificates.CA, r.Certificates.ClientCert, r.Certificates.ClientKey, "")
	must(t, err)
	for _, mechanism := range []string{kafka.SASLPlain, kafka.SASLScramSHA256, kafka.SASLScramSHA512} {
		t.Run(mechanism, func(t *testing.T) {
			cfg := testConfig(t, r.Brokers())
			cfg.TLS, cfg.SASL = trust, kafka.SASL{Mechanism: mechanism, Username: kafkatest.User, Password: kafkatest.Password}
			roundTrip(t, cfg, "topic-"+mechanism)

			cfg.SASL.Password = "wrong"
			err := newAdmin(t, cfg).Ping(context.Background())
			if !errors.Is(err, kafkago.SASLAuthenticationFailed) {
				t.Fatalf("a wrong password gave %v", err)
			}
			pub := newPublisher(t, kafka.PublisherConfig{Config: cfg})
			if err := pub.Publish("topic-"+mechanism, numbered(0, 1)...); !errors.Is(err, kafkago.SASLAuthenticationFailed) {
				t.Fatalf("publishing with a wrong password gave %v", err)
			}
		})
	}
	t.Run("a stranger's authority", func(t *testing.T) {
		strangers, err := kafkatest.NewCertificates()
		must(t, err)
		cfg := testConfig(t, r.Brokers())
		cfg.SASL = kafka.SASL{Mechanism: kafka.SASLPlain, Username: kafkatest.User, Password: kafkatest.Password}
		cfg.TLS, err = kafka.TLSFromPEM(strangers.CA, nil, nil, "")
		must(t, err)
		var untrusted *tls.CertificateVerificationError
		if err := newAdmin(t, cfg).Ping(context.Background()); !errors.As(err, &untrusted) {
			t.Fatalf("a broker that nobody vouches for gave %v", err)
		}
	})
	t.Run("no client certificate", func(t *testing.T) {
		cfg := testConfig(t, r.Brokers())
		cfg.SASL = kafka.SASL{Mechanism: kafka.SASLPlain, Username: kafkatest.User, Password: kafkatest.Password}
		cfg.TLS, err = kafka.TLSFromPEM(r.Certificates.CA, nil, nil, "")
		must(t, err)
		if err := newAdmin(t, cfg).Ping(context.Background()); err == nil {
			t.Fatal("a client without a certificate was let in")
		}
	})
}

// The broker of which kafka-go can't tell: it gives records its own time.
func TestRealLogAppendTime(t *testing.T) {
	r := kafkatest.StartReal(t, kafkatest.Options{})
	cfg := testConfig(t, r.Brokers())
	_, err := newAdmin(t, cfg).EnsureTopics(context.Background(),
		[]kafka.TopicSpec{{Name: "stamped", Partitions: 1,
			Config: map[string]string{"message.timestamp.type": "LogAppendTime"}}})
	must(t, err)
	claimed := time.UnixMilli(1000)
	m := message.NewMessageWithContext(kafka.WithRecordTime(context.Background(), claimed), "", []byte("x"))
	must(t, newPublisher(t, kafka.PublisherConfig{Config: cfg}).Publish("stamped", m))
	in, err := newSubscriber(t, kafka.SubscriberConfig{Config: cfg, Group: "g"}).Subscribe(context.Background(), "stamped")
	must(t, err)
	got := receive(t, in)
	if pos, _ := kafka.PositionOf(got); !pos.LogTime || !pos.Time.After(claimed.AddDate(1, 0, 0)) {
		t.Fatalf("position %+v", pos)
	}
	got.Ack()
}

// A record whose time the topic doesn't allow fails alone.
func TestRealInvalidTimestamp(t *testing.T) {
	r := kafkatest.StartReal(t, kafkatest.Options{})
	cfg := testConfig(t, r.Brokers())
	admin := newAdmin(t, cfg)
	_, err := admin.EnsureTopics(context.Background(),
		[]kafka.TopicSpec{{Name: "strict", Partitions: 1,
			Config: map[string]string{"message.timestamp.before.max.ms": "3600000"}}})
	must(t, err)
	msgs := numbered(0, 20)
	msgs[7].SetContext(kafka.WithRecordTime(context.Background(), time.UnixMilli(1000)))
	err = newPublisher(t, kafka.PublisherConfig{Config: cfg}).Publish("strict", msgs...)
	var failed *kafka.PublishError
	if !errors.As(err, &failed) || !slices.Equal(failed.Indexes(), []int{7}) || !errors.Is(err, kafkago.InvalidTimestamp) {
		t.Fatalf("gave %v", err)
	}
	if got := len(all(t, cfg, "strict", 1)[0]); got != 19 {
		t.Fatalf("%d are in the log", got)
	}
	diffs, err := admin.EnsureTopics(context.Background(),
		[]kafka.TopicSpec{{Name: "strict", Partitions: 4, Replication: 1,
			Config: map[string]string{"message.timestamp.before.max.ms": "7200000"}}})
	must(t, err)
	if len(diffs) != 2 {
		t.Fatalf("differences: %v", diffs)
	}
}

func TestRealUniversalStressUnordered(t *testing.T) {
	u, _ := realUniversal(t)
	u.stress(t)
}

func TestRealUniversalStressOrdered(t *testing.T) {
	u, _ := realUniversal(t)
	u.ordered = true
	u.stress(t)
}
