package projections

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
)

// Close is a period's close as a place in the log: what stood before Ends belongs to it.
type Close struct {
	Period domain.Period
	Mark   domain.Mark
}

// filter is the condition on rows that were recorded by then, and the moment to show for it.
func (a AsOf) filter() (string, time.Time) {
	if a.Close == nil {
		return fmt.Sprintf("recorded_at <= toDateTime64('%s', 3, 'UTC')", a.Time.UTC().Format("2006-01-02 15:04:05.000")), a.Time.UTC()
	}
	m := a.Close.Mark
	if m.Ends == nil {
		return AsOf{Time: m.Time}.filter()
	}
	var parts []string
	for p, end := range m.Ends {
		parts = append(parts, fmt.Sprintf("(stream = '%s' AND partition = %d AND offset < %d)", p.Stream, p.Number, end))
	}
	sort.Strings(parts)
	parts = append(parts, fmt.Sprintf("(stream = 'books' AND offset < %d)", m.Offset))
	return "(" + strings.Join(parts, " OR ") + ")", m.Time.UTC()
}
