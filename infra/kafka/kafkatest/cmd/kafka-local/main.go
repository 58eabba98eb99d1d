// Kafka-local runs real Apache Kafka on loopback until it is interrupted, from
// the same jars that the tests use. It is for people who want to look at
// something by hand. It needs a JDK, and takes seconds to start:
//
//	go run ./infra/kafka/kafkatest/cmd/kafka-local -nodes 3
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "kafka-local:", err)
		os.Exit(1)
	}
}

func run() error {
	nodes := flag.Int("nodes", 1, "how many brokers")
	tls := flag.Bool("tls", false, "encrypt the listener for clients")
	sasl := flag.Bool("sasl", false, "make clients authenticate")
	dir := flag.String("dir", "", "where to keep data (default: a temporary directory)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *dir == "" {
		made, err := os.MkdirTemp("", "kafka-local-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(made) }()
		*dir = made
	}
	r, err := kafkatest.Start(ctx, kafkatest.Options{
		Nodes: *nodes, TLS: *tls, SASL: *sasl, Dir: *dir, Progress: os.Stderr, Optimize: true, HeapMB: 512,
	})
	if err != nil {
		return err
	}
	defer r.Close()
	fmt.Println("Apache Kafka", kafkatest.KafkaVersion, "at", strings.Join(r.Brokers(), ","))
	if *sasl {
		fmt.Printf("user %q, password %q\n", kafkatest.User, kafkatest.Password)
	}
	if *tls {
		fmt.Printf("authority:\n%s", r.Certificates.CA)
	}
	<-ctx.Done()
	return nil
}
