package embedded

import (
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

// TestBrokerSigns: what a sender may not write is refused, however it is packed; the log keeps the sender's name where
// that is wanted, with the record otherwise as it was; and where nobody is asked who they are the same is checked.
func TestBrokerSigns(t *testing.T) {
	maySend := func(headers map[string]string, value []byte) (bool, error) {
		if string(value) == "refused" {
			return false, errors.New("not yours")
		}
		return headers["sign"] == "yes", nil
	}
	for _, asks := range []bool{true, false} {
		config := BrokerConfig{Dir: t.TempDir(), OwnHeaders: []string{"name"}, NameHeader: "name", MaySend: maySend}
		opts := []kgo.Opt{kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
			kgo.ProducerBatchCompression(kgo.GzipCompression())}
		if asks {
			config.Authenticate = func(string) (*Principal, error) {
				return &Principal{Name: "ann", Read: true, MayWrite: func(string) bool { return true }, MaySend: maySend}, nil
			}
			opts = append(opts, kgo.SASL(plain.Auth{User: "any", Pass: "any"}.AsMechanism()))
		}
		b := startBroker(t, config)
		ours := stranger(t, b, kgo.Dialer(b.Dial))
		createTopicWith(t, ours, "t")
		client := stranger(t, b, opts...)
		for i, r := range []struct {
			value, sign string
			ok          bool
		}{{"plain", "", true}, {"refused", "", false}, {"signed", "yes", true}, {"refused", "yes", false}} {
			record := &kgo.Record{Topic: "t", Key: fmt.Append(nil, i), Value: []byte(r.value),
				Headers: []kgo.RecordHeader{{Key: "sign", Value: []byte(r.sign)}}}
			if err := write(t, client, record); (err == nil) != r.ok {
				t.Errorf("asks %t: %q: %v", asks, r.value, err)
			}
		}
		if err := write(t, ours, &kgo.Record{Topic: "t", Value: []byte("refused")}); err != nil {
			t.Errorf("makegood's own: %v", err)
		}
		var got []string
		for len(got) < 3 {
			fetches := client.PollFetches(testContext(t))
			if err := fetches.Err(); err != nil {
				t.Fatal(err)
			}
			fetches.EachRecord(func(r *kgo.Record) { got = append(got, fmt.Sprintf("%s=%s %v", r.Key, r.Value, r.Headers)) })
		}
		name := map[bool]string{true: " {name [97 110 110]}", false: " {name [97 110 121 98 111 100 121]}"}[asks]
		want := []string{"0=plain [{sign []}]", "2=signed [{sign [121 101 115]}" + name + "]", "=refused []"}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("asks %t: the log holds\n%q, wanted\n%q", asks, got, want)
		}
	}
}
