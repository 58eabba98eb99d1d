package wire

import (
	"fmt"

	"github.com/makegood/makegood/domain"
)

// store holds what a Decoder reads into, and uses again for the next event.
type store struct {
	data [256]domain.Data // by type; made when the first event of the type is read

	orderLines     []domain.OrderLine
	components     []domain.Component // of all lines of the event that is being read
	tenders        []domain.Tender
	removedLines   []domain.RemovedLine
	deliveredLines []domain.DeliveredLine
	errorLines     []domain.ErrorLine
	goodsLines     []domain.GoodsLine
	returnLines    []domain.ReturnLine
	erased         []domain.ErasedHash
	covers         []domain.Cover
}

// codec reads and writes the data of one type of event, and describes it.
type codec struct {
	read   func(d *Decoder) (domain.Data, uint64)
	write  func(b []byte, e *domain.Event) []byte
	schema func() JSON
}

// codecs holds one per type: event puts it there.
var codecs [256]codec

func init() {
	for _, t := range domain.Types() {
		if codecs[t].read == nil {
			panic(fmt.Sprintf("wire: nothing says how %s is written", t))
		}
	}
}

// event declares what a type of event looks like on the wire. Which type that is, its data says.
func event[T any, P interface {
	*T
	domain.Data
}](of *shape[T]) *shape[T] {
	t := domain.TypeOf(P(new(T)))
	if codecs[t].read != nil {
		panic(fmt.Sprintf("wire: %s is declared twice", t))
	}
	codecs[t] = codec{
		read: func(d *Decoder) (domain.Data, uint64) {
			into, _ := d.store.data[t].(P)
			if into == nil {
				into = new(T)
				d.store.data[t] = into
			}
			var empty T
			*into = empty
			return into, of.read(d, into)
		},
		write:  func(b []byte, e *domain.Event) []byte { return of.write(b, e, e.Data.(P)) },
		schema: of.schema,
	}
	return of
}
