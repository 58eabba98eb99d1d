package clickhouse

import "github.com/ClickHouse/ch-go/proto"

// ch-go writes a column's type into the block, and the server wants exactly the table's. An Enum8 column of ch-go knows
// only the numbers, a Decimal64 column only its width; the column's type in ledger.Columns says the rest.

type array[E any] struct {
	*proto.ColArr[E]
	of proto.ColumnType
}

func (a array[E]) Type() proto.ColumnType { return a.of }

type enumColumn struct {
	proto.ColEnum8
	of proto.ColumnType
}

func (c *enumColumn) Type() proto.ColumnType { return c.of }

func (a array[E]) ends() *proto.ColUInt64   { return &a.Offsets }
func (a array[E]) elements() proto.ColInput { return a.Data }

// member is a list that is written as a part of a list of tuples.
type member interface {
	input
	ends() *proto.ColUInt64 // where each list ends among the elements
	elements() proto.ColInput
}

// tuples is a list of tuples, which is written as where the lists end, once, and the elements of each member.
type tuples struct {
	of      proto.ColumnType
	members []member // lists of the same lengths
}

func (t *tuples) Type() proto.ColumnType { return t.of }

func (t *tuples) Rows() int { return t.members[0].Rows() }

func (t *tuples) Reset() {
	for _, m := range t.members {
		m.Reset()
	}
}

func (t *tuples) EncodeColumn(b *proto.Buffer) {
	t.members[0].ends().EncodeColumn(b)
	for _, m := range t.members {
		m.elements().EncodeColumn(b)
	}
}

func (t *tuples) WriteColumn(w *proto.Writer) {
	t.members[0].ends().WriteColumn(w)
	for _, m := range t.members {
		m.elements().WriteColumn(w)
	}
}
