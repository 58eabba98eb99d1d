package server

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/embedded"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/http/access"
	"github.com/makegood/makegood/infra/prometheus"
	"github.com/makegood/makegood/infra/wire"
)

// AccessFlags say who gets in.
type AccessFlags struct {
	AccessFile   string   `help:"${access_file}" type:"path"`
	HTTPHosts    []string `help:"${http_hosts}" name:"http-hosts"`
	InsecureOpen bool     `help:"Let everybody in who reaches an address that is no loopback."`
	TLSCert      string   `help:"Certificate in PEM form: makes it HTTPS." name:"tls-cert" type:"path"`
	TLSKey       string   `help:"Its key in PEM form." name:"tls-key" type:"path"`
}

// validateAccess refuses what would let in anybody without that being said.
func (c *Config) validateAccess() error {
	var errs []error
	a := &c.Access
	if (a.TLSCert == "") != (a.TLSKey == "") {
		errs = append(errs, errors.New("--tls-cert and --tls-key go together"))
	}
	if a.InsecureOpen && a.AccessFile != "" {
		errs = append(errs, errors.New("--insecure-open lets everybody in and --access-file doesn't: give one"))
	}
	if a.AccessFile == "" && !a.InsecureOpen && !IsLoopback(c.HTTP) {
		errs = append(errs, notLoopback("--http", c.HTTP))
	}
	if len(c.Brokers) == 0 && !a.InsecureOpen && !IsLoopback(c.KafkaListen) {
		errs = append(errs, fmt.Errorf("--kafka-listen: %s is no loopback address, and the broker inside asks nobody who "+
			"they are: take a Kafka of your own (--brokers), "+
			"or say --insecure-open if everybody who reaches it may read and write", c.KafkaListen))
	}
	return errors.Join(errs...)
}

func notLoopback(flag, address string) error {
	return fmt.Errorf("%s: %s is no loopback address, so it needs --access-file, which makegood token new writes; "+
		"--insecure-open lets everybody in who reaches it", flag, address)
}

// IsLoopback says whether only this machine reaches an address. No address at all is the default, which is one.
func IsLoopback(address string) bool {
	if address == "" {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	// Of names, this one alone is known not to be the world's; where it was made so, startHTTP finds out.
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// prepareAccess reads who gets in, and what shows them who we are, before anything else is started.
func (a *App) prepareAccess() (err error) {
	flags := &a.Config.Access
	if flags.TLSCert != "" {
		if a.certificate, err = access.NewCertificate(flags.TLSCert, flags.TLSKey, a.Now, a.logger); err != nil {
			return fmt.Errorf("--tls-cert, --tls-key: %w", err)
		}
		prometheus.WatchAccessFile(a.metrics, "certificate", a.certificate.Stale)
	}
	if flags.AccessFile == "" {
		if !IsLoopback(a.Config.HTTP) {
			a.logger.Warn("everybody who reaches this address may read and write the books", "address", a.Config.HTTP)
		}
		return nil
	}
	guard, err := access.NewGuard(access.GuardConfig{File: flags.AccessFile, Now: a.Now, Logger: a.logger})
	if err != nil {
		return fmt.Errorf("--access-file: %w", err)
	}
	if a.certificate == nil && !IsLoopback(a.Config.HTTP) {
		a.logger.Warn("tokens cross the network in the clear: give --tls-cert and --tls-key, or have a proxy with TLS in "+
			"front", "address", a.Config.HTTP)
	}
	a.guard = guard
	prometheus.WatchAccess(a.metrics, func() prometheus.AccessCounts { return prometheus.AccessCounts(guard.Counts()) })
	prometheus.WatchAccessFile(a.metrics, "access", guard.Stale)
	return nil
}

// letIn puts the guard and the certificate on the server.
func (a *App) letIn(config *gateway.Config) {
	if a.certificate != nil {
		config.TLS = a.certificate.TLS()
	}
	config.Hosts = a.Config.Access.HTTPHosts
	if a.guard != nil {
		config.Guard = a.guard.Check
	}
}

// brokerPrincipal says what the holder of a token may do at the broker inside: who may read, read; who may write, write
// to the topics of orders, errors and redeliveries, event by event what they may send over HTTP. To close months, set
// rates and decide they use HTTP, which says with each of them where the log stands. Another process of makegood may
// all.
func (a *App) brokerPrincipal(token string) (*embedded.Principal, error) {
	grant := a.guard.Find(token)
	if grant == nil {
		return nil, errors.New("no valid token")
	}
	p := &embedded.Principal{Name: grant.Name, Own: grant.Has(gateway.Process), Read: grant.Has(gateway.Read)}
	if grant.Has(gateway.Write, gateway.KeepBooks) {
		topics := []string{a.Config.Topic(domain.Orders), a.Config.Topic(domain.Errors), a.Config.Topic(domain.Redeliveries)}
		p.MayWrite = func(topic string) bool { return slices.Contains(topics, topic) }
		p.MaySend = maySend(grant)
	}
	return p, nil
}

// maySend holds records against what somebody may send. What can't be read becomes a dead letter, and changes nothing.
func maySend(grant *gateway.Grant) func(headers map[string]string, value []byte) (sign bool, err error) {
	return func(headers map[string]string, value []byte) (bool, error) {
		decoder := decoders.Get().(*wire.Decoder)
		defer decoders.Put(decoder)
		e, err := decoder.Kafka(headers, value)
		if err != nil {
			return false, nil //nolint:nilerr // see above
		}
		if refused := grant.MaySend(&e.Event); refused != nil {
			return false, refused
		}
		return grant != nil && gateway.Audited(&e.Event), nil
	}
}

var decoders = sync.Pool{New: func() any { return new(wire.Decoder) }}

// Secret reads a secret from the file of a flag or from the environment, never from a flag: command lines are for
// everybody on the machine to read. None given is no error.
func Secret(flag, file, variable string) (string, error) {
	fromEnvironment := os.Getenv(variable)
	if file == "" {
		return fromEnvironment, nil
	}
	if fromEnvironment != "" {
		return "", fmt.Errorf("%s and %s are both given: which is meant?", flag, variable)
	}
	s, err := access.ReadSecret(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	return s, nil
}
