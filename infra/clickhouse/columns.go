package clickhouse

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// cell holds a block's values of one column of the ledger.
type cell struct {
	data     input
	selected string                     // what is asked for so that data can take it
	append   func(*ledger.Row)          // the row's value, at the end
	nothing  func(n int)                // n times the default of the type, at the end; nil where a column is never rare
	set      func(r *ledger.Row, i int) // value i into the row, as long as the block holds it; nil where it can't be read
}

// input is what can be written and used again. All but a dictionary can be read too: a proto.ColResult.
type input interface {
	proto.ColInput
	proto.Resettable
}

// cells are those of all columns, in their order. To read, a column whose type is a dictionary is asked for as texts: a
// dictionary of the server's would be decoded into a string a row; as it is, a value is a piece of the column.
func cells(reading bool) []cell {
	all := make([]cell, len(ledger.Columns))
	for i, c := range ledger.Columns {
		all[i] = cellOf(c, reading)
		if all[i].selected == "" {
			all[i].selected = c.Name
		}
	}
	return all
}

func cellOf(c ledger.Column, reading bool) cell {
	switch of := c.Of.(type) {
	case *ledger.Text:
		return textCell(c, of, reading)
	case *ledger.Bytes:
		data := &proto.ColStr{}
		return cell{data: data,
			append: func(r *ledger.Row) { data.AppendBytes(of.Get(r)) },
			set:    func(r *ledger.Row, i int) { of.Set(r, pieceOf(data, i)) }}
	case *ledger.Number[uint64]:
		data := &proto.ColUInt64{}
		return numberCell(data, (*[]uint64)(data), of)
	case *ledger.Number[uint32]:
		data := &proto.ColUInt32{}
		return numberCell(data, (*[]uint32)(data), of)
	case *ledger.Number[int64]:
		data := &proto.ColInt64{}
		return numberCell(data, (*[]int64)(data), of)
	case *ledger.Number[int32]:
		data := &proto.ColInt32{}
		return numberCell(data, (*[]int32)(data), of)
	case *ledger.Enum:
		data := &enumColumn{of: proto.ColumnType(c.Type)}
		return cell{data: data,
			append: func(r *ledger.Row) { data.Append(proto.Enum8(of.Get(r))) },
			set:    func(r *ledger.Row, i int) { of.Set(r, uint8(data.ColEnum8[i])) }}
	case *ledger.Moment:
		return momentCell(of)
	case *ledger.Day:
		data := &proto.ColDate{}
		return cell{data: data,
			append: func(r *ledger.Row) { *data = append(*data, date(of.Get(r))) },
			set:    func(r *ledger.Row, i int) { of.Set(r, time.Unix(int64((*data)[i])*86400, 0).UTC()) }}
	case *ledger.Flag:
		data := &proto.ColBool{}
		return cell{data: data,
			append: func(r *ledger.Row) { data.Append(of.Get(r)) },
			set:    func(r *ledger.Row, i int) { of.Set(r, (*data)[i]) }}
	default:
		return listCell(c)
	}
}

func listCell(c ledger.Column) cell {
	switch of := c.Of.(type) {
	case *ledger.List[string]:
		data := &proto.ColStr{}
		return arrayCell(proto.NewArray(data), c, of, func(all []string) int {
			for _, v := range all {
				data.Append(v)
			}
			return data.Rows()
		}, func(i int) string { return textOf(data, i) })
	case *ledger.List[uint16]:
		data := &proto.ColUInt16{}
		return arrayCell(proto.NewArray(data), c, of, numbers[uint16]((*[]uint16)(data)),
			func(i int) uint16 { return (*data)[i] })
	case *ledger.List[ledger.Code]:
		data := &proto.ColEnum8{}
		return arrayCell(proto.NewArray(data), c, of, numbers[ledger.Code]((*[]proto.Enum8)(data)),
			func(i int) ledger.Code { return ledger.Code((*data)[i]) })
	case *ledger.List[domain.Amount]:
		data := &proto.ColDecimal64{}
		return arrayCell(proto.NewArray(data), c, of, numbers[domain.Amount]((*[]proto.Decimal64)(data)),
			func(i int) domain.Amount { return domain.Amount((*data)[i]) })
	}
	panic(fmt.Sprintf("column %s: nothing writes a %T", c.Name, c.Of)) // a test writes all columns
}

func textCell(c ledger.Column, of *ledger.Text, reading bool) cell {
	if strings.HasPrefix(c.Type, "LowCardinality") && !reading {
		data := &dictionary{}
		return cell{data: data,
			append:  func(r *ledger.Row) { data.append(of.Get(r)) },
			nothing: func(n int) { data.appendSame("", n) }}
	}
	data := &proto.ColStr{}
	all := cell{data: data,
		append:  func(r *ledger.Row) { data.Append(of.Get(r)) },
		nothing: func(n int) { data.Pos = appendSame(data.Pos, proto.Position{}, n) },
		set:     func(r *ledger.Row, i int) { of.Set(r, textOf(data, i)) }}
	if strings.HasPrefix(c.Type, "LowCardinality") {
		all.selected = "CAST(" + c.Name + " AS String)"
	}
	return all
}

func numberCell[T uint64 | uint32 | int64 | int32](data input, values *[]T, of *ledger.Number[T]) cell {
	return cell{data: data,
		append: func(r *ledger.Row) { *values = append(*values, of.Get(r)) },
		set:    func(r *ledger.Row, i int) { of.Set(r, (*values)[i]) }}
}

func momentCell(of *ledger.Moment) cell {
	data := (&proto.ColDateTime64{}).WithPrecision(proto.Precision(of.Decimals)).WithLocation(time.UTC)
	if of.Decimals == 3 {
		return cell{data: data,
			append: func(r *ledger.Row) { data.AppendRaw(proto.DateTime64(of.Get(r).UnixMilli())) },
			set:    func(r *ledger.Row, i int) { of.Set(r, time.UnixMilli(int64(data.Data[i])).UTC()) }}
	}
	return cell{data: data,
		append: func(r *ledger.Row) { data.AppendRaw(proto.DateTime64(of.Get(r).UnixMicro())) },
		set:    func(r *ledger.Row, i int) { of.Set(r, time.UnixMicro(int64(data.Data[i])).UTC()) }}
}

// numbers adds numbers to those of a column.
func numbers[T uint16 | ledger.Code | domain.Amount, E uint16 | proto.Enum8 | proto.Decimal64](to *[]E) func([]T) int {
	return func(all []T) int {
		for _, v := range all {
			*to = append(*to, E(v))
		}
		return len(*to)
	}
}

// arrayCell is a list of elements that stand one after another in a column of their own: add, which says how many
// there are then, and at are of that.
func arrayCell[E any, T ledger.Element](data *proto.ColArr[E], c ledger.Column, of *ledger.List[T], add func([]T) int,
	at func(int) T) cell {
	var one []T
	return cell{
		data: array[E]{data, proto.ColumnType(c.Type)},
		append: func(r *ledger.Row) {
			one = of.Append(r, one[:0])
			data.Offsets = append(data.Offsets, uint64(add(one)))
		},
		nothing: func(n int) {
			data.Offsets = appendSame(data.Offsets, uint64(add(nil)), n)
		},
		set: func(r *ledger.Row, i int) {
			from := 0
			if i > 0 {
				from = int(data.Offsets[i-1])
			}
			n := int(data.Offsets[i]) - from
			of.Make(r, n)
			for j := range n {
				of.Put(r, j, at(from+j))
			}
		},
	}
}

// appendSame adds a value n times.
func appendSame[T any](to []T, v T, n int) []T {
	to = slices.Grow(to, n)
	for range n {
		to = append(to, v)
	}
	return to
}

// textOf is a value of the column, as long as the column holds it.
func textOf(c *proto.ColStr, i int) string {
	raw := c.RowBytes(i)
	return unsafe.String(unsafe.SliceData(raw), len(raw))
}

// pieceOf is the same for what is read as bytes.
func pieceOf(c *proto.ColStr, i int) []byte {
	at := c.Pos[i]
	return c.Buf[at.Start:at.End:at.End]
}

// date counts days since 1970. The first hours of 1970 are the day before in books west of Greenwich, which a Date
// doesn't reach.
func date(t time.Time) proto.Date { return proto.Date(max(t.Unix(), 0) / 86400) }
