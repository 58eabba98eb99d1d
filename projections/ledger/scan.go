package ledger

import (
	"fmt"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
)

// scannedColumns is what is selected so that newScan can take it: the driver knows numbers and texts, no enums by
// number and no decimals without loss.
var scannedColumns = func() string {
	all := make([]string, len(Columns))
	for i, c := range Columns {
		switch c.Of.(type) {
		case *Enum:
			all[i] = "toUInt8(" + c.Name + ")"
		case *List[Code]:
			all[i] = "arrayMap(x -> toUInt8(x), " + c.Name + ")"
		case *List[domain.Amount]:
			all[i] = "arrayMap(x -> toDecimalString(x, 4), " + c.Name + ")"
		default:
			all[i] = c.Name
		}
	}
	return strings.Join(all, ", ")
}()

// scan takes one row after another from the driver.
type scan struct {
	into []any
	sets []func(*Row) error
}

func newScan() *scan {
	s := &scan{}
	for _, c := range Columns {
		switch of := c.Of.(type) {
		case *Text:
			take(s, of.Set)
		case *Bytes:
			take(s, func(r *Row, v string) { of.Set(r, []byte(v)) })
		case *Number[uint64]:
			take(s, of.Set)
		case *Number[uint32]:
			take(s, of.Set)
		case *Number[int64]:
			take(s, of.Set)
		case *Number[int32]:
			take(s, of.Set)
		case *Enum:
			take(s, of.Set)
		case *Moment:
			take(s, of.Set)
		case *Day:
			take(s, func(r *Row, v time.Time) { of.Set(r, v) })
		case *Flag:
			take(s, of.Set)
		case *List[string]:
			takeAll(s, of, func(v string) (string, error) { return v, nil })
		case *List[uint16]:
			takeAll(s, of, func(v uint16) (uint16, error) { return v, nil })
		case *List[Code]:
			takeAll(s, of, func(v uint8) (Code, error) { return Code(v), nil })
		case *List[domain.Amount]:
			takeAll(s, of, domain.ParseAmount)
		default:
			panic(fmt.Sprintf("column %s: nothing reads a %T", c.Name, c.Of)) // a test reads all columns
		}
	}
	return s
}

// set puts what was scanned into the row.
func (s *scan) set(r *Row) error {
	for _, set := range s.sets {
		if err := set(r); err != nil {
			return err
		}
	}
	return nil
}

func take[T any](s *scan, set func(*Row, T)) {
	v := new(T)
	s.into = append(s.into, v)
	s.sets = append(s.sets, func(r *Row) error {
		set(r, *v)
		return nil
	})
}

func takeAll[S any, T Element](s *scan, of *List[T], read func(S) (T, error)) {
	list := new([]S)
	s.into = append(s.into, list)
	s.sets = append(s.sets, func(r *Row) error {
		of.Make(r, len(*list))
		for i, v := range *list {
			t, err := read(v)
			if err != nil {
				return err
			}
			of.Put(r, i, t)
		}
		return nil
	})
}
