package access

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"time"
)

// Certificate is what the gateway shows, read again when its files change: certificates are renewed more often than
// servers are restarted.
type Certificate struct{ pair *watched[tls.Certificate] }

// NewCertificate reads a certificate, with those between it and its authority, and its key, both PEM.
func NewCertificate(cert, key string, now func() time.Time, logger *slog.Logger) (*Certificate, error) {
	parse := func(contents [][]byte) (tls.Certificate, error) {
		pair, err := tls.X509KeyPair(contents[0], contents[1])
		if err != nil {
			return pair, fmt.Errorf("%s and %s: %w", cert, key, err)
		}
		return pair, nil
	}
	pair, err := watch("the certificate", []file{{cert, false}, {key, true}}, parse, now, logger)
	if err != nil {
		return nil, err
	}
	return &Certificate{pair}, nil
}

// TLS is a server's configuration that shows it.
func (c *Certificate) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		// Of TLS 1.2 what keeps yesterday's traffic secret when the key is stolen, and is no chain of blocks; 1.3 has
		// nothing else.
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.pair.get(), nil },
	}
}

// Stale says whether the files hold something that can't be used, so that the certificate before is still shown.
func (c *Certificate) Stale() bool { return c.pair.stale.Load() }
