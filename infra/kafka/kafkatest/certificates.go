package kafkatest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Certificates are a throw-away authority with a certificate for brokers on
// loopback and one for clients, all in PEM form.
type Certificates struct {
	CA                    []byte
	ServerCert, ServerKey []byte
	ClientCert, ClientKey []byte
}

// NewCertificates makes them. They are good for a day.
func NewCertificates() (Certificates, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Certificates{}, fmt.Errorf("making the authority's key: %w", err)
	}
	ca := certificate(1, "makegood test authority")
	ca.IsCA, ca.BasicConstraintsValid = true, true
	ca.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return Certificates{}, fmt.Errorf("making the authority's certificate: %w", err)
	}
	certs := Certificates{CA: pemOf("CERTIFICATE", caDER)}
	issue := func(serial int64, name string) (cert, key []byte, err error) {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, nil, fmt.Errorf("making the key of %s: %w", name, err)
		}
		c := certificate(serial, name)
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
		c.DNSNames = []string{"localhost"}
		c.KeyUsage = x509.KeyUsageDigitalSignature
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		der, err := x509.CreateCertificate(rand.Reader, c, ca, &k.PublicKey, caKey)
		if err != nil {
			return nil, nil, fmt.Errorf("making the certificate of %s: %w", name, err)
		}
		keyDER, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			return nil, nil, fmt.Errorf("encoding the key of %s: %w", name, err)
		}
		return pemOf("CERTIFICATE", der), pemOf("PRIVATE KEY", keyDER), nil
	}
	if certs.ServerCert, certs.ServerKey, err = issue(2, "broker"); err != nil {
		return Certificates{}, err
	}
	if certs.ClientCert, certs.ClientKey, err = issue(3, "client"); err != nil {
		return Certificates{}, err
	}
	return certs, nil
}

func certificate(serial int64, name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
	}
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
