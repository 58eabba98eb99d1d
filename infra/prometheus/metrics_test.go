package prometheus

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/makegood/makegood/projections"
)

func TestNamesAndUnits(t *testing.T) {
	r := NewRegistry()
	var stats projections.Stats
	WatchProjector(r, &stats)
	WatchGateway(r, func() GatewayCounts { return GatewayCounts{} })
	WatchBooks(r, func(context.Context) (projections.Counts, error) { return projections.Counts{Events: 3}, nil })
	problems, err := testutil.GatherAndLint(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "makegood_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestBooksThatCannotBeRead(t *testing.T) {
	r := prometheus.NewRegistry()
	WatchBooks(r, func(context.Context) (projections.Counts, error) {
		return projections.Counts{Events: 3}, errors.New("down")
	})
	err := testutil.GatherAndCompare(r, strings.NewReader(`
# HELP makegood_books_readable 1 when the books could be read for this scrape, else 0.
# TYPE makegood_books_readable gauge
makegood_books_readable 0
`))
	if err != nil {
		t.Error(err) // no number is better than one that isn't true
	}
}
