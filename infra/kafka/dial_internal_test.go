package kafka

import (
	"io"
	"net"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl/plain"
)

// A broker that accepts a connection and then stands still, at the moment of
// authentication, is given up on.
func TestABrokerThatStandsStillIsGivenUpOn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, conn) }()
		}
	}()
	d := &kafkago.Dialer{DialFunc: newDialer(Config{DialTimeout: 100 * time.Millisecond}).dial,
		SASLMechanism: plain.Mechanism{Username: "u", Password: "p"}}
	given := make(chan error, 1)
	go func() {
		_, err := d.Dial("tcp", l.Addr().String())
		given <- err
	}()
	select {
	case err := <-given:
		if err == nil {
			t.Fatal("a dumb broker authenticated us")
		}
	case <-time.After(30 * time.Second):
		t.Fatal("still waiting for a dumb broker")
	}
}
