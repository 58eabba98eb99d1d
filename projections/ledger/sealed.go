package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
)

// A seal covers two groups of columns: what an event says and where it belongs, which can be read from the log again,
// and what it posted. Neither changes once the month is closed. What does change by itself is in no seal: see Unsealed.
var (
	saidColumns = []string{"event_type", "order_id", "error_id", "store_id", "currency", "occurred_at", "day",
		"posting_period", "origin_period", "voids_type", "voids_source", "voids_id", "customer_id", "extensions", "payload"}
	postedColumns = []string{"account", "element", "basis", "amount", "step", "line_case", "line_currency", "line_store"}
)

// identityColumns are the key of a sealed event, in the order of the leaves.
var identityColumns = []string{"source", "event_id", "order_id", "error_id", "content"}

// Unsealed are the columns that are in no seal, by why.
var Unsealed = map[string][]string{
	Placed: {"recorded_at", "stream", "partition", "offset", "token"},
	AsSettled: {"epoch", "standing", "of_source", "of_id", "settled_with", "sold_by", "unpriced",
		"fact_case", "fact_kind", "fact_root_cause", "fact_party", "fact_vendor", "fact_employee", "fact_severity",
		"fact_avoidable", "fact_category", "fact_founded", "fact_reported", "fact_same_as", "fact_order", "line_order",
		"flag_code", "flag_case", "flag_currency", "flag_amount"},
	Own: {"version", "terms", "rules", "rated", "settled"},
}

// Why a column is in no seal.
const (
	Placed = "where the log holds it, and what it says beside it: another log of the same events makes the same seal; " +
		"it is compared with the log"
	AsSettled = "as the events of its unit make it, also those that came since: the unit is settled again"
	Own       = "what makegood notes for itself: nothing proves it"
)

// SaidSQL and PostedSQL are the digests of both groups as ClickHouse makes them of a row: SHA-256 over RowBinary, where
// every value says itself where it ends.
var (
	SaidSQL   = "SHA256(formatRow('RowBinary', " + strings.Join(saidColumns, ", ") + "))"
	PostedSQL = "SHA256(formatRow('RowBinary', " + strings.Join(postedValues(), ", ") + "))"
	// LeafSQL is the hash of a leaf as RFC 6962 has it, of an identity and its two digests, said and posted.
	LeafSQL = "SHA256(concat('\\0', formatRow('RowBinary', " + strings.Join(identityColumns, ", ") + "), said, posted))"
	// SealedOrder is the order of the leaves.
	SealedOrder = strings.Join(identityColumns, ", ")
)

// postedValues are postedColumns of a row. What a line doesn't say itself of its case, currency and store is the
// event's: how the ledger keeps it makes no difference.
func postedValues() []string {
	events := map[string]string{"line_case": "error_id", "line_currency": "toString(currency)",
		"line_store": "toString(store_id)"}
	values := slices.Clone(postedColumns)
	for i, name := range postedColumns {
		if of := events[name]; of != "" {
			values[i] = fmt.Sprintf("if(empty(%[1]s), arrayWithConstant(length(account), %[2]s), %[1]s)", name, of)
		}
	}
	return values
}

// SealedOf is the condition on the rows that a seal of a period's close covers: what is posted in the month, and stands
// before the close. Seals themselves are chained to each other, and covered by none. What a rebuild posts for a unit
// may have no lines any more, because of what came later. Such a row isn't covered: other books never had it.
func SealedOf(period domain.Period, close *domain.Mark) string {
	return fmt.Sprintf("(refused = '' AND posting_period = toDate('%s') AND event_type != '%s' AND %s AND NOT "+
		"(event_type = '%s' AND (order_id != '' OR error_id != '') AND empty(account)))",
		period.First().Format(time.DateOnly), domain.TypeBooksSealed, StoodBefore(close), domain.TypeBooksRebuilt)
}

// Said is the digest of what an event says and where it belongs, as SaidSQL makes it of the row.
func Said(r *Row) [sha256.Size]byte { return sha256.Sum256(appendRowBinary(nil, saidColumns, r)) }

// columnsByName are Columns.
var columnsByName = func() map[string]*Column {
	all := map[string]*Column{}
	for i := range Columns {
		all[Columns[i].Name] = &Columns[i]
	}
	return all
}()

// appendRowBinary writes columns of a row in ClickHouse's format RowBinary.
func appendRowBinary(b []byte, names []string, r *Row) []byte {
	for _, name := range names {
		switch of := columnsByName[name].Of.(type) {
		case *Text:
			b = appendText(b, of.Get(r))
		case *Bytes:
			b = appendText(b, string(of.Get(r)))
		case *Moment:
			ticks := of.Get(r).UnixMicro()
			if of.Decimals == 3 {
				ticks = of.Get(r).UnixMilli()
			}
			b = binary.LittleEndian.AppendUint64(b, uint64(ticks))
		case *Day:
			b = binary.LittleEndian.AppendUint16(b, uint16(max(of.Get(r).Unix(), 0)/86400))
		default:
			panic(fmt.Sprintf("column %s: no seal covers a %T", name, of)) // a test reads all of them
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
