package kafka_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/infra/kafka"
)

func TestSecretsAreNotShown(t *testing.T) {
	cfg := kafka.SubscriberConfig{Config: kafka.Config{Brokers: []string{"b:1"},
		SASL: kafka.SASL{Mechanism: kafka.SASLPlain, Username: "u", Password: "hidden"}}}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("configured", "sasl", cfg.SASL, "config", cfg)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("configured", "sasl", cfg.SASL)
	for _, shown := range []string{fmt.Sprint(cfg), fmt.Sprintf("%+v", cfg), fmt.Sprintf("%#v", cfg),
		fmt.Sprintf("%v", &cfg.SASL), log.String()} {
		if strings.Contains(shown, "hidden") {
			t.Errorf("the secret is shown: %s", shown)
		}
	}
}

func TestConfigurationsAreChecked(t *testing.T) {
	good := kafka.Config{Brokers: []string{"127.0.0.1:9092"}}
	for name, bad := range map[string]kafka.SubscriberConfig{
		"no brokers": {},
		"no port":    {Config: kafka.Config{Brokers: []string{"host"}}},
		"unknown mechanism": {Config: kafka.Config{Brokers: good.Brokers,
			SASL: kafka.SASL{Mechanism: "GSSAPI", Username: "u", Password: "p"}}},
		"no password": {Config: kafka.Config{Brokers: good.Brokers,
			SASL: kafka.SASL{Mechanism: kafka.SASLPlain, Username: "u"}}},
		"no mechanism":   {Config: kafka.Config{Brokers: good.Brokers, SASL: kafka.SASL{Username: "u"}}},
		"drain too long": {Config: good, DrainTimeout: time.Minute},
		// A commit takes up to 4 s, of a session of 10 s.
		"last commit":   {Config: good, DrainTimeout: 6 * time.Second},
		"slow heart":    {Config: good, HeartbeatInterval: time.Minute},
		"long poll":     {Config: good, FetchMaxWait: time.Minute},
		"negative":      {Config: good, MaxInFlight: -1},
		"negative time": {Config: good, CommitInterval: -1},
	} {
		if _, err := kafka.NewSubscriber(bad); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := (kafka.SubscriberConfig{Config: good}).Validate(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
	if err := (kafka.PublisherConfig{Config: good}).Validate(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
	if _, err := kafka.NewPublisher(kafka.PublisherConfig{Config: good, Compression: 9}); err == nil {
		t.Error("an unknown compression is taken")
	}
	if _, err := kafka.TLSFromPEM([]byte("no certificate"), nil, nil, ""); err == nil {
		t.Error("a CA without a certificate is taken")
	}
}
