package reference

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Options say what a generated stream holds beside plain traffic. The zero value is the plain stream: every type but
// closings and dealings with dead letters, no identity twice, each event voided at most once.
type Options struct {
	Orders      int  // 0: 40
	Periods     bool // months are closed and reopened, events come late
	Letters     bool // somebody deals with dead letters
	Rebuilds    bool // history is posted again with the rates of then
	Twice       bool // other sources say the same again, or something else, and people decide
	Duplicates  bool // events come again, written another way
	Conflicts   bool // identities come again with other content
	SecondVoids bool // some events are voided twice, some voids are voided
	OrphanVoids bool // some voids are of events that were never sent
	StockFixes  bool // labour, claims and salvage on cases without an order too
	// orders are changed in other currencies than theirs, or cancelled without net; cases refund what was taken off
	Misfits bool
	Knots   bool // people decide again and again, cases share what is theirs, and what else seldom comes by chance
}

// Everything turns every trouble on.
var Everything = Options{Periods: true, Rebuilds: true, Letters: true, Twice: true, Duplicates: true, Conflicts: true,
	SecondVoids: true, OrphanVoids: true, StockFixes: true}

// Kinds, RootCauses and Parties are the words of section 3.
var (
	Kinds = []string{
		"wrong_item", "damaged", "defective", "missing_item", "over_shipped", "late", "not_delivered", "wrong_address",
		"not_as_described", "billing_error", "credit_not_processed", "document_error", "service_conduct", "unspecified",
		changedMind,
	}
	RootCauses = []string{
		"order_capture", "catalog_data", "overpromise", "pick_pack", "preparation", "inventory_accuracy", "supplier_quality",
		"carrier", "dispatch", "billing_system", "training", "customer", "unknown",
	}
	Parties = []string{"own", "supplier", "carrier", "marketplace", "customer", "unknown"}
)

type object = map[string]any

// draft is an event on its way: when it happened, and when the log will take it.
type draft struct {
	stream   string
	event    object
	at, take time.Time
}

type generator struct {
	rng    *rand.Rand
	opts   Options
	drafts []draft
	serial int
	cases  int

	failures []failure // of orders, as they were told
}

var (
	firstDay   = time.Date(2025, 12, 5, 0, 0, 0, 0, time.UTC)
	currencies = []string{"USD", "EUR", "JPY"}
	stores     = []string{"s1", "s2", "s3", "s4"}
	vendors    = []string{"v-acme", "v-bolt", "v-córdoba"}
)

// Generate makes a stream of valid events from a seed: the same seed and options, the same stream. Records come in the
// order of Seq; the order in which things happened is another.
func Generate(seed int64, opts Options) []Record {
	if opts.Orders == 0 {
		opts.Orders = 40
	}
	return generate(seed, opts, func(g *generator) {
		g.rates()
		for i := range opts.Orders {
			g.order(i)
		}
		for range 1 + opts.Orders/8 {
			g.stockCase()
		}
		for i := range 2 + opts.Orders/10 {
			g.qualitySpent(i)
		}
		if opts.Twice {
			g.twice()
		}
		g.voids()
		if opts.Knots {
			g.knots(seed)
		}
	})
}

// generate turns what tell adds into records, with the troubles that opts ask for.
func generate(seed int64, opts Options, tell func(*generator)) []Record {
	g := &generator{rng: rand.New(rand.NewPCG(uint64(seed), 0x6d616b65)), opts: opts}
	tell(g)
	if opts.Letters {
		g.letters()
		g.terms()
	}
	if opts.Periods {
		g.periods()
	}
	if opts.Rebuilds {
		g.rebuilds()
		g.seals()
	}
	if opts.Duplicates {
		g.duplicates()
	}
	if opts.Conflicts {
		g.conflicts()
	}
	slices.SortStableFunc(g.drafts, func(a, b draft) int { return a.take.Compare(b.take) })
	records := make([]Record, 0, len(g.drafts))
	for i, d := range g.drafts {
		raw, err := json.Marshal(d.event)
		if err != nil {
			panic(err) // only maps, strings, numbers and booleans are in it
		}
		records = append(records, Record{Stream: d.stream, Event: raw, RecordedAt: d.take, Seq: int64(i + 1)})
	}
	return records
}

// add puts an event into the stream and answers it, so that it can be voided or sent again.
func (g *generator) add(stream, kind, subject string, at time.Time, data object) *draft {
	g.drafts = append(g.drafts, draft{stream, g.envelope(stream, kind, subject, at, data), at, at.Add(g.delay())})
	return &g.drafts[len(g.drafts)-1]
}

func (g *generator) envelope(stream, kind, subject string, at time.Time, data object) object {
	g.serial++
	source := "/makegood/books"
	if store, ok := data["store_id"].(string); ok {
		source = fmt.Sprintf("/stores/%s/tills/%d", store, g.rng.IntN(3))
	}
	e := object{
		"specversion": "1.0", "id": fmt.Sprintf("e-%06d", g.serial), "source": source,
		"type": "makegood." + kind + ".v1", "time": g.clock(at), "data": data,
	}
	if stream != "books" {
		e["subject"] = subject
	}
	if g.chance(30) {
		e["datacontenttype"] = "application/json"
	}
	return e
}

// delay: most events come within the hour, some days later, so that arrival is not the order of happening.
func (g *generator) delay() time.Duration {
	if g.chance(12) {
		return time.Duration(g.rng.IntN(20*24)) * time.Hour
	}
	return time.Duration(g.rng.IntN(60)) * time.Minute
}

// clock writes a moment in UTC or at another offset, as tills do.
func (g *generator) clock(t time.Time) string {
	zones := []*time.Location{time.UTC, time.UTC, time.FixedZone("", -5*3600), time.FixedZone("", 5*3600+1800)}
	return t.In(zones[g.rng.IntN(len(zones))]).Format(time.RFC3339Nano)
}

func (g *generator) chance(percent int) bool { return g.rng.IntN(100) < percent }

func pick[T any](g *generator, from []T) T { return from[g.rng.IntN(len(from))] }

// decimal writes units of 10^-places as a string or a number, with or without its trailing zeros.
func (g *generator) decimal(units int64, places int) any {
	text := big.NewRat(units, pow10(places)).FloatString(places)
	if places > 0 && g.chance(60) {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if g.chance(50) {
		return json.Number(text)
	}
	return text
}

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// amount is money of at most max whole units: usually to the cent, sometimes to 4 decimals.
func (g *generator) amount(most int64) any {
	if g.chance(25) {
		return g.decimal(1+g.rng.Int64N(most*10_000), 4)
	}
	return g.decimal(1+g.rng.Int64N(most*100), 2)
}

// paid is an amount as it was booked, or as a till rounds it to cents.
func (g *generator) paid(x *big.Rat) string {
	if g.chance(50) {
		return x.FloatString(2)
	}
	return RoundHalfEven(x).FloatString(places)
}

// price is a unit price or cost of at least 1: cents, any 6 decimals, or a half of the 4th decimal, which is a tie for
// every odd quantity.
func (g *generator) price(most int64) (any, int64) {
	var micros int64
	switch g.rng.IntN(3) {
	case 0:
		micros = 10_000 * (100 + g.rng.Int64N(most*100))
	case 1:
		micros = 1_000_000 + g.rng.Int64N(most*1_000_000)
	default:
		micros = 100*(10_000+g.rng.Int64N(most*10_000)) + 50
	}
	return g.decimal(micros, 6), micros
}

// quantity is mostly a small whole number, sometimes a half, sometimes anything to 4 decimals.
func (g *generator) quantity() (any, int64) {
	var units int64
	switch g.rng.IntN(6) {
	case 0:
		units = 1 + g.rng.Int64N(50_000)
	case 1:
		units = 5_000 * (1 + 2*g.rng.Int64N(5))
	default:
		units = 10_000 * (1 + g.rng.Int64N(5))
	}
	return g.decimal(units, 4), units
}

func (g *generator) minutes() any {
	if g.chance(20) {
		return g.decimal(1+g.rng.Int64N(900_000), 4)
	}
	return g.decimal(1+g.rng.Int64N(90), 0)
}

func (g *generator) sku() string { return fmt.Sprintf("sku-%d", g.rng.IntN(12)) }

func (g *generator) id(prefix string) string {
	g.serial++
	return fmt.Sprintf("%s-%06d", prefix, g.serial)
}

// maybe leaves optional fields out.
func (g *generator) maybe(data object, percent int, name string, value any) {
	if g.chance(percent) {
		data[name] = value
	}
}
