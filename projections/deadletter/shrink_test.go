package deadletter

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ThreeDotsLabs/watermill/message"
)

// TestShrink: a letter that had to shrink is small whatever its sender sent, and says what it was.
func TestShrink(t *testing.T) {
	letter := Letter{ID: "a1", Topic: "makegood.orders", Partition: 3, Offset: 42, Reason: "bad_json",
		Detail: strings.Repeat("long ", 100_000), Payload: bytes.Repeat([]byte("x"), 10<<20),
		Headers: map[string]string{"theirs": strings.Repeat("y", 1<<20)}}
	small := Shrink(letter.Message())
	size := len(small.Payload)
	for name, value := range small.Metadata {
		size += len(name) + len(value)
	}
	if size > 8*maxShrunkHeader {
		t.Errorf("%d bytes are left", size)
	}
	for name, want := range map[string]string{"makegood_id": "a1", "makegood_topic": "makegood.orders",
		"makegood_partition": "3", "makegood_offset": "42", "makegood_reason": "bad_json", "theirs": "",
		"makegood_payload_bytes":  fmt.Sprint(10 << 20),
		"makegood_payload_sha256": fmt.Sprintf("%x", sha256.Sum256(letter.Payload))} {
		if got := small.Metadata.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if Shrink(small) != nil || Shrink(message.NewMessage("", []byte("x"))) != nil {
		t.Error("what is no whole letter was shrunk")
	}
}

// TestShrinkWithoutPayload: a letter that has no payload from the beginning can still be too large, and shrinks, once.
func TestShrinkWithoutPayload(t *testing.T) {
	for name, large := range map[string]string{"theirs": "y", "makegood_kind": strings.Repeat("é", 1<<20)} {
		letter := Letter{ID: "a1", Topic: "makegood.tills", Headers: map[string]string{PayloadBytes: "7",
			PayloadSHA256: "of the payload", name: large}}
		small := Shrink(letter.Message())
		if small == nil {
			t.Fatalf("with %s it doesn't shrink", name)
		}
		kind := small.Metadata.Get("makegood_kind")
		if len(kind) > maxShrunkHeader || !utf8.ValidString(kind) || small.Metadata.Get("theirs") != "" ||
			small.Metadata.Get(PayloadBytes) != "7" || small.Metadata.Get(PayloadSHA256) != "of the payload" {
			t.Errorf("with %s it is %v", name, small.Metadata)
		}
		if Shrink(small) != nil {
			t.Errorf("with %s it shrinks twice", name)
		}
	}
}

// TestShortPointer: whatever names a body has, a pointer into it stays short, and is text.
func TestShortPointer(t *testing.T) {
	for n := range 400 {
		pointer := "/" + strings.Repeat("a", n%3) + strings.Repeat("é", n)
		short := ShortPointer(pointer)
		begun, isCut := strings.CutSuffix(short, "…")
		if len(short) > MaxPointer || !utf8.ValidString(short) || isCut != (len(pointer) > MaxPointer) ||
			!strings.HasPrefix(pointer, begun) || isCut && len(begun) < MaxPointer-5 {
			t.Errorf("of %d bytes there are %d: %s", len(pointer), len(short), short)
		}
	}
}
