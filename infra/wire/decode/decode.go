// Package decode makes the codec's reader fit what projections ask for: those who read the log, and those who read what
// the ledger keeps. It says in the ledger's words what the codec refuses.
//
// What it makes has a memory of its own, and is for one goroutine at a time.
package decode

import (
	"errors"
	"fmt"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
	"github.com/makegood/makegood/projections/ledger"
)

// Stored reads what the ledger keeps of an event.
func Stored() ledger.DecodeStored {
	var decoder wire.Decoder
	return func(e *domain.Event, data []byte) (*domain.Event, error) {
		read, err := decoder.Stored(e, data)
		if err != nil {
			return nil, err
		}
		return &read.Event, nil
	}
}

// Log reads the log as it is.
func Log() ledger.Decode { return Private(nil) }

// Private reads the log for the projector: what of people may not be kept is hidden. That may stand in the log where a
// producer wrote there without the gateway. The content hash is of what stands in the log.
func Private(privacy *wire.Privacy) ledger.Decode {
	decoder := wire.Decoder{Privacy: privacy}
	return func(headers message.Metadata, value []byte) (*domain.Envelope, error) {
		e, err := decoder.Kafka(headers, value)
		if err == nil {
			return e, nil
		}
		var fault *wire.Error
		if !errors.As(err, &fault) {
			return nil, fmt.Errorf("read an event: %w", err)
		}
		detail := fault.Detail
		if privacy != nil && fault.Code != wire.CodeUnknownType {
			detail = wire.WithoutQuotes(detail) // a dead letter shows it
		}
		return nil, &ledger.Rejection{Code: fault.Code, Pointer: fault.Named, Detail: detail, Source: fault.Source,
			EventID: fault.ID}
	}
}
