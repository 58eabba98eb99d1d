package post

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// An order.placed posts alone, unless something else is said of its order: that it was placed by another event too, or
// something that came before it. The one is looked for among the orders placed lately, and what that can't see (a
// restart, another projector, far apart) the background check finds, as it finds conflicts. The other is noted:
// whoever settles an order without its order.placed says so in the table unplaced_orders and reads the order again, and
// so either sees the order.placed or is seen by whoever inserts it. The same holds for a void that comes before its
// original, where the original posts alone: it is noted in that table under the order and the original's identity.

// placements remember orders, by a hash, that were placed lately, and those that are waited for.
type placements struct {
	seed maphash.Seed
	// Orders placed lately, with the event that said so: two generations, of which the older is forgotten when the
	// younger is full.
	young, old map[uint64]uint64

	mu      sync.Mutex
	awaited map[uint64]string // orders that were settled without their order.placed
	parts   uint64            // the state of the table that they were read from
}

// mostPlaced is how many orders a generation remembers: some 20 MB.
const mostPlaced = 500_000

func newPlacements() *placements {
	return &placements{seed: maphash.MakeSeed(), young: map[uint64]uint64{}, awaited: map[uint64]string{}}
}

func (p *placements) hash(order string) uint64 { return maphash.String(p.seed, order) }

// afterOrder ends the order in the name of an original that a void waits for.
const afterOrder = "\x00"

// original names an event that posts alone, as a void waits for it.
func original(order, source, id string) string { return order + afterOrder + source + afterOrder + id }

// again notes an order, and reports whether another event placed it lately.
func (p *placements) again(order uint64, source, id string) bool {
	event := maphash.String(p.seed, source)*31 + maphash.String(p.seed, id)
	before, known := p.young[order]
	if !known {
		before, known = p.old[order]
	}
	if len(p.young) >= mostPlaced {
		p.young, p.old = map[uint64]uint64{}, p.young
	}
	p.young[order] = event
	return known && before != event
}

// lately reports whether an order was placed lately.
func (p *placements) lately(order uint64) bool {
	_, young := p.young[order]
	_, old := p.old[order]
	return young || old
}

// awaitedAmong are those of the orders and originals, by their hashes, that are waited for. The table is read only
// where it has changed.
func (p *Projector) awaitedAmong(ctx context.Context, orders []uint64) ([]string, error) {
	if len(orders) == 0 {
		return nil, nil
	}
	p.placed.mu.Lock()
	defer p.placed.mu.Unlock()
	var parts uint64
	if err := p.db.QueryRow(ctx, `SELECT sipHash64(groupArray(name)) FROM (
    SELECT name FROM system.parts WHERE database = currentDatabase() AND table = 'unplaced_orders' AND active
    ORDER BY name)`).Scan(&parts); err != nil {
		return nil, fmt.Errorf("look whether orders are awaited: %w", err)
	}
	if parts != p.placed.parts {
		awaited := map[uint64]string{}
		rows, err := p.db.Query(ctx, "SELECT order_id FROM unplaced_orders FINAL WHERE NOT placed")
		if err != nil {
			return nil, fmt.Errorf("read the orders that are awaited: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var order string
			if err := rows.Scan(&order); err != nil {
				return nil, fmt.Errorf("read the orders that are awaited: %w", err)
			}
			awaited[p.placed.hash(order)] = order
		}
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("read the orders that are awaited: %w", err)
		}
		p.placed.awaited, p.placed.parts = awaited, parts
	}
	var all []string
	for _, order := range orders {
		if name, is := p.placed.awaited[order]; is {
			all = append(all, name)
		}
	}
	return all, nil
}

// noteUnplaced notes which orders of the rows have no order.placed, and says in after which of those that were waited
// for have one now. It reports whether an order was noted for the first time: then the rows have to be read again.
func (p *Projector) noteUnplaced(ctx context.Context, rows []ledger.Stored, after *followUp) (opened bool, err error) {
	placed := awaitedOriginals(rows)
	for i := range rows {
		if e := rows[i].Event; e.OrderID != "" {
			placed[e.OrderID] = placed[e.OrderID] || rows[i].Event.Type == domain.TypeOrderPlaced
		}
	}
	hashes := make([]uint64, 0, len(placed))
	for order := range placed {
		hashes = append(hashes, p.placed.hash(order))
	}
	awaited, err := p.awaitedAmong(ctx, hashes)
	if err != nil {
		return false, err
	}
	missing, waits := map[string]bool{}, map[string]bool{}
	for _, order := range awaited {
		waits[order] = true
	}
	for order, is := range placed {
		switch known := waits[order]; {
		case is && known:
			after.came[order] = true
		case !is && !known:
			missing[order] = true
		}
	}
	return len(missing) > 0, p.noteAwaited(ctx, missing, false)
}

// noteAwaited notes that orders and originals are waited for, or have come.
func (p *Projector) noteAwaited(ctx context.Context, names map[string]bool, came bool) error {
	if len(names) == 0 {
		return nil
	}
	batch, err := p.db.PrepareBatch(ctx, "INSERT INTO unplaced_orders (order_id, placed)")
	if err != nil {
		return fmt.Errorf("note orders without an order.placed: %w", err)
	}
	defer batch.Close()
	for name := range names {
		if err := batch.Append(name, came); err != nil {
			return fmt.Errorf("note orders without an order.placed: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("note orders without an order.placed: %w", err)
	}
	return nil
}

// awaitedOriginals are the originals of voids that post alone, and whether they are there. Those of other types mark
// their unit whenever they come; an order.placed is waited for by its order.
func awaitedOriginals(rows []ledger.Stored) map[string]bool {
	there, all := map[domain.Identity]bool{}, map[string]bool{}
	if !anyVoid(rows) {
		return all // mostly
	}
	for i := range rows {
		there[rows[i].Identity()] = true
	}
	for i := range rows {
		r := &rows[i]
		if r.VoidsType == "" || r.Event.OrderID == "" {
			continue
		}
		if of := domain.ParseType([]byte(r.VoidsType)); of != domain.TypeOrderPlaced && of.Posts() != domain.PostsSettled {
			all[original(r.Event.OrderID, r.Voids.Source, r.Voids.ID)] = there[domain.Identity{Source: r.Voids.Source,
				ID: r.Voids.ID}]
		}
	}
	return all
}

func anyVoid(rows []ledger.Stored) bool {
	for i := range rows {
		if rows[i].VoidsType != "" {
			return true
		}
	}
	return false
}
