package deadletter

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// headers are those that the record of a dead letter has beside the original ones.
func (d *Letter) headers() map[string]string {
	return map[string]string{"makegood_id": d.ID, "makegood_topic": d.Topic, "makegood_partition": fmt.Sprint(d.Partition),
		"makegood_offset": fmt.Sprint(d.Offset), "makegood_reason": d.Reason, "makegood_detail": d.Detail,
		"makegood_pointer": d.Pointer}
}

// Message makes the dead letter a record: the original bytes and headers, and why.
func (d *Letter) Message() *message.Message {
	m := message.NewMessage("", d.Payload)
	maps.Copy(m.Metadata, d.Headers)
	maps.Copy(m.Metadata, d.headers())
	return m
}

// FromRecord is the dead letter of a record that Message made, which the log took at a time. It has no source, no key
// and no id of an event: the record doesn't say them. nil: the record is of no dead letter.
func FromRecord(headers map[string]string, payload []byte, at time.Time) *Letter {
	say := func(name string) string { return headers["makegood_"+name] }
	partition, err := strconv.ParseInt(say("partition"), 10, 32)
	if err != nil || say("id") == "" {
		return nil
	}
	offset, err := strconv.ParseInt(say("offset"), 10, 64)
	if err != nil {
		return nil
	}
	d := &Letter{ID: say("id"), Topic: say("topic"), Partition: int32(partition), Offset: offset, Reason: say("reason"),
		Detail: say("detail"), Pointer: say("pointer"), FirstSeen: at, LastSeen: at, Headers: maps.Clone(headers),
		Payload: payload}
	for name := range d.headers() {
		delete(d.Headers, name)
	}
	// Earlier versions cut them within a character.
	d.Detail, d.Pointer = strings.ToValidUTF8(d.Detail, ""), strings.ToValidUTF8(d.Pointer, "")
	return d
}

var Refusals = map[string]string{
	"conflict": "the same source and id were recorded earlier with other content, which is in the books",
	// Of books that version 1 kept: it let only the first void of an event count.
	"already_voided": "the event was voided before, by an event recorded earlier",
	"body_too_large": "it is larger than the log takes of a till",
	"out_of_range":   "with the other events of its order it makes an amount that no account can hold",
}
