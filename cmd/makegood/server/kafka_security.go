package server

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/makegood/makegood/infra/http/access"
	"github.com/makegood/makegood/infra/kafka"
)

// KafkaFlags say how to be let in by the brokers.
type KafkaFlags struct {
	TLS          bool   `help:"Encrypt, trusting the authorities that the system trusts." name:"tls"`
	TLSCA        string `help:"Certificates of the authorities to trust instead, in PEM form." name:"tls-ca" type:"path"`
	TLSCert      string `help:"Certificate to show to the brokers, in PEM form." name:"tls-cert" type:"path"`
	TLSKey       string `help:"Its key in PEM form." name:"tls-key" type:"path"`
	SASL         string `help:"${kafka_sasl}" name:"sasl" enum:",plain,scram-sha-256,scram-sha-512" default:""`
	User         string `help:"Who we are."`
	PasswordFile string `help:"File with the password of --kafka-user; or MAKEGOOD_KAFKA_PASSWORD."`
}

func (f *KafkaFlags) given() bool { return *f != KafkaFlags{} }

// Config is the security of a configuration; its brokers aren't set yet.
func (f *KafkaFlags) Config(logger *slog.Logger) (c kafka.Config, err error) {
	if f.TLS || f.TLSCA != "" || f.TLSCert != "" || f.TLSKey != "" {
		var ca, cert, key []byte
		if f.TLSCA != "" {
			if ca, err = os.ReadFile(f.TLSCA); err != nil {
				return c, fmt.Errorf("--kafka-tls-ca: %w", err)
			}
			if len(ca) == 0 { // which would mean those of the system
				return c, fmt.Errorf("--kafka-tls-ca: %s is empty", f.TLSCA)
			}
		}
		if (f.TLSCert == "") != (f.TLSKey == "") {
			return c, fmt.Errorf("--kafka-tls-cert and --kafka-tls-key go together")
		}
		if f.TLSCert != "" {
			if cert, err = os.ReadFile(f.TLSCert); err != nil {
				return c, fmt.Errorf("--kafka-tls-cert: %w", err)
			}
			if key, err = access.ReadPrivate(f.TLSKey); err != nil {
				return c, fmt.Errorf("--kafka-tls-key: %w", err)
			}
		}
		if c.TLS, err = kafka.TLSFromPEM(ca, cert, key, ""); err != nil {
			return c, fmt.Errorf("--kafka-tls…: %w", err)
		}
	}
	if f.SASL == "" {
		if f.User != "" || f.PasswordFile != "" {
			return c, fmt.Errorf("--kafka-user and --kafka-password-file need --kafka-sasl")
		}
		return c, nil
	}
	c.SASL = kafka.SASL{Mechanism: strings.ToUpper(f.SASL), Username: f.User}
	if c.SASL.Password, err = Secret("--kafka-password-file", f.PasswordFile, "MAKEGOOD_KAFKA_PASSWORD"); err != nil {
		return c, err
	}
	if f.User == "" || c.SASL.Password == "" {
		return c, fmt.Errorf("--kafka-sasl needs --kafka-user, and --kafka-password-file or MAKEGOOD_KAFKA_PASSWORD")
	}
	if c.TLS == nil && c.SASL.Mechanism == kafka.SASLPlain {
		logger.Warn("the password crosses the network to Kafka in the clear: --kafka-tls encrypts it")
	}
	return c, nil
}
