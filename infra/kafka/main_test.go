package kafka_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/makegood/makegood/infra/kafka"
)

// TestMain lets this binary also be the processes that some tests need: one
// that is killed while it consumes, and the command with which watermill's
// suite restarts a broker.
func TestMain(m *testing.M) {
	switch role := os.Getenv("KAFKA_TEST_ROLE"); role {
	case "":
		os.Exit(m.Run())
	case "consume":
		consumeUntilKilled()
	case "restart":
		answer, err := http.Post(os.Getenv("KAFKA_TEST_RESTART"), "", nil)
		if err != nil || answer.StatusCode != http.StatusOK {
			fmt.Fprintln(os.Stderr, "restarting the broker:", answer, err)
			os.Exit(1)
		}
	default:
		fmt.Fprintln(os.Stderr, "unknown role", role)
		os.Exit(1)
	}
}

// consumeUntilKilled acknowledges the even offsets below 10 and all below 5,
// says so, and goes on holding the others.
func consumeUntilKilled() {
	sub, err := kafka.NewSubscriber(kafka.SubscriberConfig{
		Config: kafka.Config{Brokers: []string{os.Getenv("KAFKA_TEST_BROKER")}}, Group: "g",
		CommitInterval: 10 * time.Millisecond, SessionTimeout: time.Second, HeartbeatInterval: 100 * time.Millisecond,
		DrainTimeout: 300 * time.Millisecond, CommitTimeout: 500 * time.Millisecond,
	})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	in, err := sub.Subscribe(context.Background(), "things")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for range 10 {
		m := <-in
		if pos, _ := kafka.PositionOf(m); pos.Offset < 5 || pos.Offset%2 == 0 {
			m.Ack()
		}
	}
	fmt.Println("acknowledged")
	select {}
}
