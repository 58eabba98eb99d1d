package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// SASL mechanisms that brokers may ask for.
const (
	SASLPlain       = "PLAIN"
	SASLScramSHA256 = "SCRAM-SHA-256"
	SASLScramSHA512 = "SCRAM-SHA-512"
)

// SASL is who we are to the brokers. The caller reads the secret from where it
// is kept; this package neither logs nor prints it.
type SASL struct {
	// Mechanism is one of SASLPlain, SASLScramSHA256, SASLScramSHA512, or empty
	// for none.
	Mechanism string
	Username  string
	Password  string `json:"-"`
}

// String shows who, never the secret.
func (s SASL) String() string {
	if s.Mechanism == "" {
		return "no SASL"
	}
	return fmt.Sprintf("%s as %q", s.Mechanism, s.Username)
}

// GoString keeps the secret out of %#v as well.
func (s SASL) GoString() string { return "kafka.SASL{" + s.String() + "}" }

// LogValue keeps the secret out of structured logs.
func (s SASL) LogValue() slog.Value { return slog.StringValue(s.String()) }

func (s SASL) validate() error {
	switch s.Mechanism {
	case "":
		if s.Username != "" || s.Password != "" {
			return errors.New("a SASL user or password is given, but no mechanism")
		}
		return nil
	case SASLPlain, SASLScramSHA256, SASLScramSHA512:
	default:
		return fmt.Errorf("SASL mechanism %q is none of %s, %s, %s", s.Mechanism, SASLPlain, SASLScramSHA256, SASLScramSHA512)
	}
	if s.Username == "" {
		return fmt.Errorf("SASL mechanism %s needs a user name", s.Mechanism)
	}
	if s.Password == "" {
		return fmt.Errorf("SASL mechanism %s needs a password", s.Mechanism)
	}
	return nil
}

func (s SASL) mechanism() (sasl.Mechanism, error) {
	switch s.Mechanism {
	case "":
		return nil, nil
	case SASLPlain:
		return plain.Mechanism{Username: s.Username, Password: s.Password}, nil
	case SASLScramSHA256:
		return scram.Mechanism(scram.SHA256, s.Username, s.Password)
	case SASLScramSHA512:
		return scram.Mechanism(scram.SHA512, s.Username, s.Password)
	default:
		return nil, fmt.Errorf("unknown SASL mechanism %q", s.Mechanism)
	}
}

// TLSFromPEM builds a client's TLS configuration from the contents of PEM
// files. Without ca the system's roots are trusted; cert and key are for
// brokers that want to know their clients, and go together. serverName is for
// brokers whose certificate bears another name than their address.
func TLSFromPEM(ca, cert, key []byte, serverName string) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: serverName}
	if len(ca) > 0 {
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(ca) {
			return nil, errors.New("the CA holds no certificate in PEM form")
		}
	}
	if len(cert) > 0 || len(key) > 0 {
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("reading the client certificate and its key: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}
