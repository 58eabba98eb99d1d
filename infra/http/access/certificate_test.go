package access_test

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/http/access"
	"github.com/makegood/makegood/infra/kafka/kafkatest"
)

// trusting is a client that trusts one authority and keeps no connection.
func trusting(t *testing.T, ca []byte, most uint16) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatal("no authority")
	}
	return &http.Client{Timeout: 10 * time.Second,
		Transport: &http.Transport{DisableKeepAlives: true, ForceAttemptHTTP2: true,
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10, MaxVersion: most}}}
}

// A token over TLS; the certificate is exchanged while it serves, and a broken one changes nothing.
func TestCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	first, err := kafkatest.NewCertificates()
	if err != nil {
		t.Fatal(err)
	}
	second, err := kafkatest.NewCertificates()
	if err != nil {
		t.Fatal(err)
	}
	write(t, cert, string(first.ServerCert), 0o644)
	write(t, key, string(first.ServerKey), 0o600)
	hour := newClock()
	shown, err := access.NewCertificate(cert, key, hour.now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	file := newFile(t)
	token := issue(t, file, "till", []gateway.Scope{gateway.Write})
	g := serve(t, file, func(_ *access.GuardConfig, c *gateway.Config) { c.TLS = shown.TLS() })
	post := func(ca []byte, most uint16) error {
		t.Helper()
		r, err := http.NewRequest("POST", g.url+"/v1/events", strings.NewReader(refund("1", "/till")))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", single)
		response, err := trusting(t, ca, most).Do(r)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != 202 {
			t.Errorf("answered %s", response.Status)
		}
		return nil
	}
	for _, most := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		if err := post(first.CA, most); err != nil {
			t.Error(err)
		}
	}
	for _, most := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		if err := post(first.CA, most); err == nil {
			t.Errorf("%s is spoken", tls.VersionName(most))
		}
	}
	if err := post(second.CA, 0); err == nil {
		t.Error("a stranger vouches for it")
	}
	// The new certificate is there before its key is.
	write(t, cert, string(second.ServerCert), 0o644)
	hour.pass(time.Second)
	if err := post(first.CA, 0); err != nil || !shown.Stale() {
		t.Errorf("half a change: stale %t, %v", shown.Stale(), err)
	}
	write(t, key, string(second.ServerKey), 0o600)
	hour.pass(time.Second)
	if err := post(second.CA, 0); err != nil || shown.Stale() {
		t.Errorf("after the change: stale %t, %v", shown.Stale(), err)
	}
	write(t, key, string(second.ServerKey), 0o644)
	if _, err := access.NewCertificate(cert, key, hour.now, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a key that everybody may read")
	}
}
