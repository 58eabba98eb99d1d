package insight

import (
	"sync"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// thresholds remembers charts by their baseline: to work one out takes up to some tenths of a second, and a baseline of
// a year stays the same for a day or a week. It knows nothing of whose cases they are.
var thresholds = chartMemory{made: map[chartKey]*madeChart{}}

// mostCharts are remembered at most: those of a company of some hundred stores, for some days.
const mostCharts = 5000

type chartKey struct {
	base          estimate.Counts
	alarms, alone float64 // per period: of the chart among all, and with a whole budget to itself
}

// madeChart is a CUSUM for each of the two budgets, or why there is none. Its figures are in periods.
type madeChart struct {
	chart, watch     estimate.Cusum
	foundIn, fastest int
	err              error
}

type chartMemory struct {
	mu   sync.Mutex
	made map[chartKey]*madeChart
}

// of is the chart of a baseline. It is worked out without the lock: two who ask at once may both do it.
func (m *chartMemory) of(key chartKey) *madeChart {
	m.mu.Lock()
	c := m.made[key]
	m.mu.Unlock()
	if c != nil {
		return c
	}
	c = key.make()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.made) >= mostCharts {
		clear(m.made)
	}
	m.made[key] = c
	return c
}

func (k chartKey) make() *madeChart {
	both, err := estimate.NewCusums(k.base, doubling, k.alarms, k.alone)
	if err != nil {
		return &madeChart{err: err}
	}
	return &madeChart{chart: both[0], watch: both[1], foundIn: both[0].Median(doubling, k.base.Dispersion),
		fastest: estimate.Quickest(both[0].Mean, doubling, k.alarms)}
}
