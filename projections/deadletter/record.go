package deadletter

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// told are the headers that Message adds.
var told = []string{"id", "topic", "partition", "offset", "reason", "detail", "pointer"}

// Message makes the dead letter a record: the original bytes and headers, and why.
func (d *Letter) Message() *message.Message {
	m := message.NewMessage("", d.Payload)
	for k, v := range d.Headers {
		m.Metadata.Set(k, v)
	}
	m.Metadata.Set("makegood_id", d.ID)
	m.Metadata.Set("makegood_topic", d.Topic)
	m.Metadata.Set("makegood_partition", fmt.Sprint(d.Partition))
	m.Metadata.Set("makegood_offset", fmt.Sprint(d.Offset))
	m.Metadata.Set("makegood_reason", d.Reason)
	m.Metadata.Set("makegood_detail", d.Detail)
	m.Metadata.Set("makegood_pointer", d.Pointer)
	return m
}

// FromRecord is the dead letter of a record that Message made, which the log took at a time. The record doesn't say its
// source, its key and the id of its event. nil: the record is of no dead letter.
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
	for _, name := range told {
		delete(d.Headers, "makegood_"+name)
	}
	d.Detail, d.Pointer = strings.ToValidUTF8(d.Detail, ""), strings.ToValidUTF8(d.Pointer, "") // it may have shrunk
	return d
}

var Refusals = map[string]string{
	"conflict": "the same source and id were recorded earlier with other content, which is in the books",
	// Of books that version 1 kept: it let only the first void of an event count.
	"already_voided": "the event was voided before, by an event recorded earlier",
	"body_too_large": "it is larger than the log takes of a till",
	"out_of_range":   "with the other events of its order it makes an amount that no account can hold",
}
