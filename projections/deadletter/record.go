package deadletter

import (
	"fmt"

	"github.com/ThreeDotsLabs/watermill/message"
)

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

var Refusals = map[string]string{
	"conflict": "the same source and id were recorded earlier with other content, which is in the books",
	// Of books that version 1 kept: it let only the first void of an event count.
	"already_voided": "the event was voided before, by an event recorded earlier",
	"body_too_large": "it is larger than the log takes of a till",
	"out_of_range":   "with the other events of its order it makes an amount that no account can hold",
}
