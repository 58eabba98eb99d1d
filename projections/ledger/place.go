package ledger

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/makegood/makegood/domain"
)

// EndsHeader is the header of a books record that holds the other streams' end offsets, read just before the record
// was written (see domain.Mark).
const EndsHeader = "makegood_ends"

// TokenHeader is the header of a record that says the name of the token that it was sent with. The gateway and the
// broker inside set it for what an audit shows: events of the books stream, and voids.
const TokenHeader = "makegood_token"

// CustomerHeader is the header of a record of an order.placed that says by what hash its customer is known from
// before the keys were rotated: that by the oldest one. The gateway sets it.
const CustomerHeader = "makegood_customer"

// CustomerOf is that hash in a record's headers; empty where there is none.
func CustomerOf(headers map[string]string) string {
	const most = 64
	if hash := headers[CustomerHeader]; len(hash) <= most && strings.HasPrefix(hash, domain.PersonPrefix) {
		return hash
	}
	return ""
}

// maxToken bounds a name in it, in bytes: another broker takes it from anybody.
const maxToken = 64

// TokenOf is the name of the token in a record's headers; empty where there is none.
func TokenOf(headers map[string]string) string {
	if name := headers[TokenHeader]; len(name) <= maxToken {
		return name
	}
	return ""
}

// FormatEnds writes end offsets for EndsHeader: "orders/0=12,orders/1=7".
func FormatEnds(ends map[domain.Partition]int64) string {
	parts := make([]string, 0, len(ends))
	for p, end := range ends {
		parts = append(parts, fmt.Sprintf("%s/%d=%d", p.Stream, p.Number, end))
	}
	sort.Strings(parts)
	return strings.Join(parts, ",")
}

// ParseEnds reads what FormatEnds wrote.
func ParseEnds(text string) (map[domain.Partition]int64, error) {
	ends := map[domain.Partition]int64{}
	for _, part := range strings.Split(text, ",") {
		name, rest, ok := strings.Cut(part, "/")
		number, offset, ok2 := strings.Cut(rest, "=")
		p, err := strconv.ParseInt(number, 10, 32)
		end, err2 := strconv.ParseInt(offset, 10, 64)
		stream := domain.ParseStream(name)
		if !ok || !ok2 || err != nil || err2 != nil || stream == 0 {
			return nil, fmt.Errorf("%s: %q is not stream/partition=offset", EndsHeader, part)
		}
		ends[domain.Partition{Stream: stream, Number: int32(p)}] = end
	}
	return ends, nil
}

// FirstHeader is the header of a record that was sent again after it had been a dead letter: "partition/offset" of
// where the same topic held it first. It keeps the event's recorded_at. A claim is not enough: the log is asked,
// and where it doesn't hold the same bytes there, the header says nothing. Neither does it put an event before a
// close: see domain.Periods.RecordedSince. Rates and the posting period are those of where the record stands now.
const FirstHeader = "makegood_first"

// FormatFirst writes FirstHeader.
func FormatFirst(partition int32, offset int64) string {
	return fmt.Sprintf("%d/%d", partition, offset)
}

func ParseFirst(text string) (p domain.Position, ok bool) {
	partition, offset, _ := strings.Cut(text, "/")
	n, err := strconv.ParseInt(partition, 10, 32)
	at, err2 := strconv.ParseInt(offset, 10, 64)
	return domain.Position{Partition: int32(n), Offset: at}, err == nil && err2 == nil && n >= 0 && at >= 0
}

// StoodBefore is the condition on rows of any stream that stand before the mark.
func StoodBefore(m *domain.Mark) string {
	return fmt.Sprintf("((stream != 'books' AND %s) OR (stream = 'books' AND offset < %d))", Before(m), m.Offset)
}

// Before is the condition on rows of the other streams that stand before the mark.
func Before(m *domain.Mark) string {
	if m.Ends == nil {
		return fmt.Sprintf("recorded_at < toDateTime64('%s', 3, 'UTC')", m.Time.UTC().Format("2006-01-02 15:04:05.000"))
	}
	parts := make([]string, 0, len(m.Ends))
	for p, end := range m.Ends {
		parts = append(parts, fmt.Sprintf("(stream = '%s' AND partition = %d AND offset < %d)", p.Stream, p.Number, end))
	}
	if len(parts) == 0 {
		return "0"
	}
	sort.Strings(parts)
	return "(" + strings.Join(parts, " OR ") + ")"
}
