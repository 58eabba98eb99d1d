package embedded

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// answers reports whether the broker answers requests that come one after the other through a connection of their own:
// the last of them.
func answers(t *testing.T, b *Broker, requests ...kmsg.Request) bool {
	t.Helper()
	conn, err := net.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		t.Fatal(err)
	}
	format := kmsg.NewRequestFormatter(kmsg.FormatterClientID("stranger"))
	for i, r := range requests {
		if _, err := conn.Write(format.AppendRequest(nil, r, int32(i))); err != nil {
			return false
		}
		var length [4]byte
		_, err := io.ReadFull(conn, length[:])
		if err == nil {
			_, err = io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(length[:])))
		}
		if err != nil {
			var timeout net.Error
			if i == len(requests)-1 && errors.As(err, &timeout) && timeout.Timeout() {
				t.Errorf("%s, version %d: no answer, and nobody hung up", kmsg.NameForKey(r.Key()), r.GetVersion())
			}
			return false
		}
	}
	return true
}

// TestBrokerAnswersNoKeyWithoutAToken: with tokens, of all kinds of requests that Kafka has, in their oldest and newest
// version, only those are answered before a token that are about which there are and who it is; and after a wrong token
// none.
func TestBrokerAnswersNoKeyWithoutAToken(t *testing.T) {
	b := startBroker(t, BrokerConfig{Dir: t.TempDir(), Authenticate: func(string) (*Principal, error) {
		return nil, errors.New("no valid token")
	}})
	seen := 0
	for key := range int16(kmsg.MaxKey + 1) {
		for _, newest := range []bool{false, true} {
			r := kmsg.RequestForKey(key)
			if r == nil {
				continue
			}
			if newest {
				r.SetVersion(r.MaxVersion())
			}
			seen++
			first := kmsg.Key(key) == kmsg.ApiVersions || kmsg.Key(key) == kmsg.SASLHandshake
			if got := answers(t, b, r); got != first && !(got && kmsg.Key(key) == kmsg.SASLAuthenticate) {
				t.Errorf("%s, version %d, without a token: answered %t", kmsg.NameForKey(key), r.GetVersion(), got)
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d requests were tried", seen)
	}
	handshake := kmsg.NewPtrSASLHandshakeRequest()
	handshake.Version, handshake.Mechanism = 1, "PLAIN"
	wrong := kmsg.NewPtrSASLAuthenticateRequest()
	wrong.SASLAuthBytes = []byte("\x00any\x00guess")
	if answers(t, b, handshake, wrong, kmsg.NewPtrMetadataRequest()) {
		t.Error("after a wrong token: answered")
	}
}
