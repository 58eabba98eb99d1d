package ledger

import (
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"

	"github.com/makegood/makegood/domain"
)

// External makes a table of rows that goes along with a statement. Its columns are those of the ledger, in the types
// that the driver writes without loss: ExternalRows reads them in the ledger's own.
func External(name string, rows []*Row) (*ext.Table, error) {
	t, err := ext.NewTable(name)
	for _, c := range Columns {
		if err == nil {
			err = ext.Column(c.Name, column.Type(externalType(c)))(t)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("make the table %s: %w", name, err)
	}
	for _, r := range rows {
		values := make([]any, len(Columns))
		for i, c := range Columns {
			values[i] = externalValue(c, r)
		}
		if err := t.Append(values...); err != nil {
			return nil, fmt.Errorf("make the table %s: event %s of %s: %w", name, r.Event.ID, r.Event.Source, err)
		}
	}
	return t, nil
}

// ExternalRows selects from a table that External made what a row of the ledger has.
func ExternalRows(name string) string {
	all := make([]string, len(Columns))
	for i, c := range Columns {
		all[i] = fmt.Sprintf("CAST(t.%[1]s AS %[2]s) AS %[1]s", c.Name, c.Type)
	}
	return "SELECT " + strings.Join(all, ", ") + " FROM " + name + " AS t"
}

// ColumnNames are the names of all columns, as a SELECT has them.
func ColumnNames() string {
	all := make([]string, len(Columns))
	for i, c := range Columns {
		all[i] = c.Name
	}
	return strings.Join(all, ", ")
}

func externalType(c Column) string {
	switch c.Of.(type) {
	case *Text:
		return plain
	case *Enum:
		return "UInt8"
	case *List[Code]:
		return "Array(UInt16)" // an array of bytes would be written as a text
	case *List[domain.Amount]:
		return "Array(String)"
	}
	return c.Type
}

func externalValue(c Column, r *Row) any {
	switch of := c.Of.(type) {
	case *Text:
		return of.Get(r)
	case *Bytes:
		return string(of.Get(r))
	case *Number[uint64]:
		return of.Get(r)
	case *Number[uint32]:
		return of.Get(r)
	case *Number[int64]:
		return of.Get(r)
	case *Number[int32]:
		return of.Get(r)
	case *Enum:
		return of.Get(r)
	case *Moment:
		return of.Get(r).UTC()
	case *Day:
		if day := of.Get(r); day.Unix() > 0 {
			return day
		}
		return time.Unix(0, 0).UTC()
	case *Flag:
		return of.Get(r)
	case *List[string]:
		return of.Append(r, []string{})
	case *List[uint16]:
		return of.Append(r, []uint16{})
	case *List[Code]:
		return each(of.Append(r, nil), func(v Code) uint16 { return uint16(v) })
	case *List[domain.Amount]:
		return each(of.Append(r, nil), domain.Amount.String)
	}
	panic(fmt.Sprintf("column %s: nothing writes a %T", c.Name, c.Of)) // a test writes all columns
}

func each[T, S any](list []T, of func(T) S) []S {
	all := make([]S, len(list))
	for i, v := range list {
		all[i] = of(v)
	}
	return all
}
