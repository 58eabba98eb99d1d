package ledger

import (
	"context"
	"fmt"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/domain"
)

// Reader reads the ledger in blocks of columns: what is for a great many rows, where Read is for a few.
type Reader interface {
	// ReadLedger hands over the rows of a statement whose FROM is given ("ledger FINAL WHERE …") to the workers: each
	// takes one at a time, and which of them takes a row is chance. A row is valid until the worker returns. Of a void,
	// Event.Data holds what it voids and the type of that; of other events it is nil. It ends with the first error of any
	// worker.
	ReadLedger(ctx context.Context, from string, workers ...func(*Row) error) error
}

// Writer writes rows to the ledger, many at once.
type Writer interface {
	// Batch is an empty batch, to be used by one goroutine at a time.
	Batch() Batch
}

// Batch gathers rows in columns.
type Batch interface {
	// Append copies the row.
	Append(*Row)
	// Rows is how many there are.
	Rows() int
	// Insert writes them all or none. Called again it writes them again, which changes nothing.
	Insert(context.Context) error
	// Reset forgets them.
	Reset()
}

// Decode reads a record of the log: headers and value. The result is valid until the next call. An error that is a
// *Rejection says what is wrong with it.
type Decode func(headers message.Metadata, value []byte) (*domain.Envelope, error)

// DecodeStored reads the data of an event whose envelope the ledger keeps beside it. The result is valid until the next
// call.
type DecodeStored func(e *domain.Event, data []byte) (*domain.Event, error)

// Rejection is why a record can't be booked.
type Rejection struct {
	Code, Pointer, Detail string
	Source, EventID       string // as far as they could be read
}

func (r *Rejection) Error() string { return fmt.Sprintf("%s at %q: %s", r.Code, r.Pointer, r.Detail) }
