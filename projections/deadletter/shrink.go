package deadletter

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/ThreeDotsLabs/watermill/message"
)

// maxShrunkHeader bounds a header of a dead letter that had to shrink, in bytes.
const maxShrunkHeader = 4 << 10

// What is said of a payload that a dead letter is kept without: its length in bytes, and its SHA-256 in hexadecimal.
const (
	PayloadBytes  = "makegood_payload_bytes"
	PayloadSHA256 = "makegood_payload_sha256"
)

// Shrink is a dead letter's record without its payload and its sender's headers: for one that the log doesn't take,
// since it is too large, say. What it was is told by its place, its length in bytes and its SHA-256; the place leads to
// the record that it is about. It returns nil for a record that is no dead letter or has shrunk already.
func Shrink(m *message.Message) *message.Message {
	if m.Metadata.Get("makegood_id") == "" {
		return nil
	}
	small := message.NewMessage(m.UUID, message.Payload{})
	shrunk := len(m.Payload) > 0
	for name, value := range m.Metadata {
		ours := strings.HasPrefix(name, "makegood_")
		shrunk = shrunk || !ours || len(value) > maxShrunkHeader
		if ours {
			small.Metadata.Set(name, strings.ToValidUTF8(value[:min(len(value), maxShrunkHeader)], ""))
		}
	}
	if !shrunk {
		return nil
	}
	if m.Metadata.Get(PayloadSHA256) == "" { // it may have been kept without its payload from the beginning
		hash := sha256.Sum256(m.Payload)
		small.Metadata.Set(PayloadBytes, fmt.Sprint(len(m.Payload)))
		small.Metadata.Set(PayloadSHA256, hex.EncodeToString(hash[:]))
	}
	return small
}
