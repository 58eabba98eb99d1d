package simulator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/makegood/makegood/domain"
)

// world is who and what there is. It is made once, from the seed, and only its customers change.
type world struct {
	stores    []store
	vendors   []vendor
	items     []item
	carriers  []carrier
	customers customers
	giftCards map[string]domain.Decimal // by currency: what cards that were sold can still pay

	// Systems beside the tills. They tell some facts once more.
	shop, payments *till

	usualTrouble float64 // see meanTrouble
}

func storeName(n int) string { return "store-" + strconv.Itoa(n) }

type store struct {
	id, currency string
	tills        []*till
	pickers      []picker
	trucks       []string
	overpromises bool // says "by noon" to everybody
}

// till is a source of events; it numbers them.
type till struct {
	source string
	tag    string
	events uint64
}

func (t *till) nextID() string {
	t.events++
	b := make([]byte, 0, 24)
	b = append(b, t.tag...)
	b = append(b, '-')
	return string(strconv.AppendUint(b, t.events, 10))
}

// The trouble of a picker, vendor or carrier is how much more often they err than the usual one.
type (
	picker struct {
		id      string
		trouble float64
	}
	vendor struct {
		id      string
		trouble float64
	}
	carrier struct {
		id      string
		trouble float64
	}
)

// item is one size of a part; its neighbours in a family of three are the other sizes.
type item struct {
	sku    string
	vendor int
	price  domain.Decimal // whole cents
	cost   domain.Decimal // 4 decimals
}

const (
	tillsPerStore   = 3
	pickersPerStore = 5
	families        = 200
	sizesPerFamily  = 3
	badVendor       = 4 // in the list of vendors
)

// The vendors and carriers of every world.
var (
	allVendors = []vendor{{"vendor-acme", 0.5}, {"vendor-bluepipe", 0.7}, {"vendor-northline", 0.6},
		{"vendor-halden", 0.6}, {"vendor-kestrel", 4}, {"vendor-orient", 0.8}}
	allCarriers = []carrier{{"carrier-swift", 0.6}, {"carrier-union", 0.8}, {"carrier-lagoon", 2.2}}
)

// errs reports whether there is a vendor or a carrier of that name, who can err more than before.
func errs(who string) bool {
	return slices.ContainsFunc(allVendors, func(v vendor) bool { return v.id == who }) ||
		slices.ContainsFunc(allCarriers, func(c carrier) bool { return c.id == who })
}

func newWorld(c *Config, tag string, random *rand.Rand) *world {
	w := &world{vendors: allVendors, carriers: allCarriers}
	for n := range c.Stores {
		s := store{
			id: storeName(n + 1), currency: c.Currencies[n%len(c.Currencies)],
			overpromises: n == min(2, c.Stores-1),
		}
		for k := range tillsPerStore {
			s.tills = append(s.tills, &till{source: fmt.Sprintf("urn:till:%s:%d", s.id, k+1), tag: tag})
		}
		for k := range pickersPerStore {
			p := picker{fmt.Sprintf("emp-%d%02d", n+1, k+1), 0.8}
			if n == min(1, c.Stores-1) && k == 2 {
				p.trouble = 7
			}
			s.pickers = append(s.pickers, p)
		}
		for k := range 2 {
			s.trucks = append(s.trucks, fmt.Sprintf("truck-%d%d", n+1, k+1))
		}
		w.stores = append(w.stores, s)
	}
	prefixes := [...]string{"BRK", "FLT", "VLV", "PMP", "THR", "FAN", "HOS", "GSK", "BRG", "SEN"}
	for f := range families {
		// Most parts are cheap, a few are not: 4 to about 400.
		x := random.Float64()
		cents := int64(400 + 40_000*x*x*x)
		margin := 50 + random.Int64N(22)
		v := random.IntN(len(w.vendors))
		for size := range sizesPerFamily {
			price := cents + cents*int64(size)*7/100
			w.items = append(w.items, item{
				sku:    fmt.Sprintf("%s-%04d-%c", prefixes[f%len(prefixes)], f+101, "SML"[size]),
				vendor: v,
				price:  fromCents(price),
				// A cost of 4 decimals, as a price list per hundred gives it.
				cost: domain.Decimal(price*margin) * 100,
			})
		}
	}
	w.customers = customers{tag: tag}
	w.giftCards = map[string]domain.Decimal{}
	w.shop = &till{source: "urn:webhook:shop", tag: tag}
	w.payments = &till{source: "urn:webhook:payments", tag: tag}
	w.usualTrouble = w.meanTrouble()
	return w
}

// terms are what suppliers and carriers agreed to pay: a supplier the goods, of a refund what is about their cost, and
// half of the truck where quality is to blame; a carrier what was damaged or late on its way. Only one pays for the
// shop's own wages.
func (w *world) terms(from time.Time) []*domain.VendorTerms {
	all := make([]*domain.VendorTerms, 0, len(w.vendors)+len(w.carriers))
	cover := func(element, cause, clause string, share domain.Optional) domain.Cover {
		return domain.Cover{Element: element, Cause: cause, Clause: clause, Share: share}
	}
	half, most := domain.Some(one/2), domain.Some(one*3/4)
	for n, v := range w.vendors {
		d := &domain.VendorTerms{VendorID: v.id, WindowDays: int64(21 + 7*(n%3)), EffectiveFrom: from,
			Covers: []domain.Cover{cover("GOODS", "", "4.1", domain.Optional{}),
				cover("WRITE_DOWN", "", "4.1", domain.Optional{}), cover("REFUND", "", "4.1", most),
				cover("FREIGHT_OUT", "", "4.2", domain.Optional{}), cover("FLEET", "supplier_quality", "4.2", half)}}
		if n == 0 {
			d.Covers = append(d.Covers, cover("LABOUR", "", "4.3", half))
		}
		all = append(all, d)
	}
	for _, c := range w.carriers {
		all = append(all, &domain.VendorTerms{VendorID: c.id, WindowDays: 14, EffectiveFrom: from,
			Covers: []domain.Cover{cover("GOODS", "carrier", "9", domain.Optional{}),
				cover("WRITE_DOWN", "carrier", "9", domain.Optional{}), cover("REFUND", "carrier", "10", most)}})
	}
	return all
}

// otherSize is a neighbour of an item in its family.
func otherSize(n int) int {
	family := n / sizesPerFamily * sizesPerFamily
	return family + (n-family+1)%sizesPerFamily
}

func fromCents(cents int64) domain.Decimal { return domain.Decimal(cents) * 10_000 }

// share is percent of an amount, rounded to whole cents, half up: what a till would do.
func share(d domain.Decimal, percent int64) domain.Decimal {
	return fromCents((int64(d)/10_000*percent + 50) / 100)
}

// portion is part/whole of an amount, rounded down to whole cents: never more than there is.
func portion(d, part, whole domain.Decimal) domain.Decimal {
	return fromCents(int64(d) / 10_000 * int64(part/one) / int64(whole/one))
}

// customers remembers the latest of them, so that memory stays bounded however long the simulation.
type customers struct {
	tag    string
	recent [20_000]struct {
		number uint64
		burned bool // the last order went wrong
	}
	count uint64
}

// pick finds who orders: two in three have ordered before, but of those whose last order went wrong half stay away.
func (c *customers) pick(random *rand.Rand) (slot int, id string) {
	if c.count > 20 && random.Uint32N(3) != 0 {
		slot = random.IntN(int(min(c.count, uint64(len(c.recent)))))
		if known := &c.recent[slot]; !known.burned || random.Uint32N(2) == 0 {
			known.burned = false
			return slot, c.id(known.number)
		}
	}
	slot = int(c.count % uint64(len(c.recent)))
	c.count++
	c.recent[slot].number, c.recent[slot].burned = c.count, false
	return slot, c.id(c.count)
}

func (c *customers) id(number uint64) string {
	b := make([]byte, 0, 24)
	b = append(b, "cust-"...)
	b = append(b, c.tag...)
	b = append(b, '-')
	return string(strconv.AppendUint(b, number, 10))
}
