package embedded

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// FuzzReadRequest: whatever a client sends, its request is read or refused at once. Of a few bytes that announce four
// billion tags, none is waited for: they held a processor for half a minute.
func FuzzReadRequest(f *testing.F) {
	for _, r := range []kmsg.Request{kmsg.NewPtrProduceRequest(), kmsg.NewPtrFetchRequest(), kmsg.NewPtrMetadataRequest(),
		kmsg.NewPtrOffsetCommitRequest(), kmsg.NewPtrIncrementalAlterConfigsRequest()} {
		for _, version := range []int16{0, r.MaxVersion()} {
			r.SetVersion(version)
			f.Add(kmsg.NewRequestFormatter().AppendRequest(nil, r, 1))
		}
	}
	f.Add([]byte("\x00\x00\x00\x10\x00\x03\x00\x0c\x00\x00\x00\x01\xff\xff\xff\xff\xff\xff\x0f"))
	f.Add([]byte("\x00\x00\x8f\xb1xZ\xe9d\xc1\x00\x14\x00")) // of a kind that nobody knows
	f.Fuzz(func(t *testing.T, whole []byte) {
		if len(whole) < 4+requestHeaderBytes {
			return
		}
		if r, err := readRequest(whole); err == nil && (r.body == nil || r.at > len(whole)) {
			t.Fatalf("read %v at %d of %d bytes", r.body, r.at, len(whole))
		}
	})
}
