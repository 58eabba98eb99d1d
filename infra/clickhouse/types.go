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
