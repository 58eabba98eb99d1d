package clickhouse

import (
	"fmt"
	"strings"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/makegood/makegood/domain"
)

// ch-go writes a column's type into the block, and the server wants exactly the table's. An Enum8 column of ch-go knows
// only the numbers, a Decimal64 column only its width; these say the rest.

var (
	elementType = enumType(domain.Elements(), 0)
	basisType   = enumType(domain.Bases(), 1)
	streamType  = proto.ColumnType("Enum8('orders' = 1, 'errors' = 2, 'redeliveries' = 3, 'books' = 4)")
)

func enumType(names []string, first int) proto.ColumnType {
	var values []string
	for i, name := range names[first:] {
		values = append(values, fmt.Sprintf("'%s' = %d", name, first+i))
	}
	return proto.ColumnType("Enum8(" + strings.Join(values, ", ") + ")")
}

type enumArray struct {
	*proto.ColArr[proto.Enum8]
	of proto.ColumnType
}

func (a enumArray) Type() proto.ColumnType { return proto.ColumnTypeArray.Sub(a.of) }

type decimalArray struct{ *proto.ColArr[proto.Decimal64] }

func (a decimalArray) Type() proto.ColumnType { return "Array(Decimal(18, 4))" }

type streamColumn struct{ proto.ColEnum8 }

func (streamColumn) Type() proto.ColumnType { return streamType }
