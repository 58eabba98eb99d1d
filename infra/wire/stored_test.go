package wire_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/infra/wire"
)

// TestStored: an event whose envelope was taken apart and kept says the same, and means the same, when its data is read
// again beside it.
func TestStored(t *testing.T) {
	var first, second wire.Decoder
	for _, s := range samples(t) {
		for _, e := range []tree{s.event, voidOf(s).event} {
			whole, err := first.Structured(e.json())
			if err != nil {
				continue // what isn't voided
			}
			kept := domain.Event{Source: whole.Event.Source, ID: whole.Event.ID, Type: whole.Event.Type, Time: whole.Event.Time,
				OrderID: whole.Event.OrderID, StoreID: whole.Event.StoreID, ErrorID: whole.Event.ErrorID,
				Currency: whole.Event.Currency}
			again, err := second.Stored(&kept, whole.Data)
			if err != nil {
				t.Errorf("%s: %v", s.name, err)
				continue
			}
			if again.Content != whole.Content || !reflect.DeepEqual(again.Event, whole.Event) {
				t.Errorf("%s:\n%+v\n%+v", s.name, again.Event, whole.Event)
			}
		}
	}
	_, err := second.Stored(&domain.Event{Source: "s", ID: "1", Type: domain.TypeRefundIssued, OrderID: "o"},
		[]byte(`{"net":"-1"}`))
	var fault *wire.Error
	if !errors.As(err, &fault) || fault.Source != "s" || fault.ID != "1" || fault.Pointer == "" {
		t.Errorf("what today's rules refuse: %v", err)
	}
	if _, err := second.Stored(&domain.Event{Source: "s", ID: "1"}, []byte(`{}`)); !errors.As(err, &fault) ||
		fault.Code != wire.CodeUnknownType || fault.ID != "1" {
		t.Errorf("of no type that the contract has: %v", err)
	}
}
