package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// Config says how to reach a cluster. It is the part that publishers,
// subscribers, tails and admins share.
//
// The zero value of every field but Brokers means its documented default.
type Config struct {
	// Brokers lists host:port addresses to start from. The rest of the cluster
	// is learned from whichever answers first.
	Brokers []string

	// ClientID is the name under which brokers see us in their logs, metrics
	// and quotas. Default "makegood".
	ClientID string

	// TLS, when not nil, encrypts every connection. TLSFromPEM makes one from
	// the contents of certificate files.
	TLS *tls.Config

	// SASL, when its Mechanism is set, authenticates every connection.
	SASL SASL

	// Dial, when not nil, opens every connection: for a broker that knows whose
	// they are. TLS and SASL come on top of it.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Logger receives what a person who runs this may need to know. Secrets
	// never go there. Default: nothing is logged.
	Logger *slog.Logger

	// DialTimeout bounds the opening of a connection, handshakes included.
	// Default 5 s.
	DialTimeout time.Duration

	// RequestTimeout bounds one request and its answer, and is what brokers are
	// told to wait for replicas at most. Default 10 s.
	RequestTimeout time.Duration
}

// Defaults of Config.
const (
	DefaultClientID       = "makegood"
	DefaultDialTimeout    = 5 * time.Second
	DefaultRequestTimeout = 10 * time.Second
)

// Validate says everything that is wrong with the configuration, not only the
// first thing.
func (c Config) Validate() error {
	var errs []error
	if len(c.Brokers) == 0 {
		errs = append(errs, errors.New("no broker address is given"))
	}
	for _, b := range c.Brokers {
		if _, port, err := net.SplitHostPort(b); err != nil {
			errs = append(errs, fmt.Errorf("broker address %q: %w", b, err))
		} else if port == "" {
			errs = append(errs, fmt.Errorf("broker address %q has no port", b))
		}
	}
	errs = append(errs, c.SASL.validate())
	errs = append(errs, notNegative("DialTimeout", c.DialTimeout), notNegative("RequestTimeout", c.RequestTimeout))
	return errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	if c.ClientID == "" {
		c.ClientID = DefaultClientID
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	orDuration(&c.DialTimeout, DefaultDialTimeout)
	orDuration(&c.RequestTimeout, DefaultRequestTimeout)
	return c
}

func orDuration(d *time.Duration, def time.Duration) {
	if *d == 0 {
		*d = def
	}
}

func orInt(n *int, def int) {
	if *n == 0 {
		*n = def
	}
}

func notNegative(name string, d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("%s is negative: %v", name, d)
	}
	return nil
}

func notBelow(name string, n, least int) error {
	if n < least {
		return fmt.Errorf("%s is %d, less than %d", name, n, least)
	}
	return nil
}
