package insight

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
)

// packet asks for what is claimed from one vendor: every covered cost with its evidence. See readVendorCases for what
// it reads; beside that, the events of these cases.
var packet = Question{
	Name:   "claims/packet",
	About:  "What is claimed from one vendor: every cost that its terms cover, with clause, journal lines and evidence.",
	Params: []Param{{Name: "vendor", About: "The supplier or carrier.", Must: true}},
	Method: "Of the cases that recoverable has to file or filed, every covered cost is named with its clause, its share " +
		"and the journal lines that it is the sum of. What no clause covers, own wages say, is not in it.",
	Heading: "A claim a vendor accepts",
	Page:    true,
	Columns: []Column{
		{Name: "case", Unit: Text, About: "The case."}, {Name: "order", Unit: Text, About: "Its order."},
		{Name: "store", Unit: Text, About: "The store that the cost is of."},
		{Name: "party", Unit: Text, About: "supplier or carrier."},
		{Name: "sku", Unit: List, About: "What was reported."}, {Name: "quantity", Unit: List, About: "How many of each."},
		{Name: "ordered", Unit: Text, About: "When it was ordered (RFC 3339)."},
		{Name: "promised", Unit: Text, About: "Until when it was promised."},
		{Name: "delivered", Unit: Text, About: "When it came last."},
		{Name: "reported", Unit: Text, About: "When the case became known."},
		{Name: "condition", Unit: Text, About: "What was wrong, and how what came back was graded."},
		{Name: "status", Unit: Text, About: "to_file or filed."},
		{Name: "element", Unit: Text, About: "What sort of cost."},
		{Name: "amount", Unit: Money, About: "The cost: the sum of the journal lines.", Sum: true},
		{Name: "rate", Unit: List, About: "Of time and ways: how much, and at what rate."},
		{Name: "share", Unit: Share, About: "Of the cost, by the clause."},
		{Name: "clause", Unit: Text, About: "By which it is covered."},
		{Name: "claimed", Unit: Money, About: "Share of the amount.", Sum: true},
		{Name: "lines", Unit: List, About: "The journal lines: source and id of the event, account, amount."},
		{Name: "evidence", Unit: List, About: "Source and id of every event of the case, by time."},
	},
	Read: readPacket,
}

// packetFacts are what the events say of a case and its order.
type packetFacts struct {
	lines                        map[string][]packetLine // by element
	evidence, skus, pieces       []string
	grades                       []string
	ordered, promised, delivered *time.Time
}

// packetLine is a journal line.
type packetLine struct {
	source, id, account string
	amount              *big.Rat
}

// spent is the time and the way of an event.
type spent struct {
	minutes float64
	km      string
}

func readPacket(ctx context.Context, db driver.Conn, q *Query) ([]Row, map[string][]Row, error) {
	cases, err := readVendorCases(ctx, db, q)
	if err != nil {
		return nil, nil, err
	}
	facts, times, err := readPacketFacts(ctx, db, q)
	if err != nil {
		return nil, nil, err
	}
	today := day(q.Now, q.Now.Location())
	var rows []Row
	for _, c := range cases {
		status := c.status(today)
		if c.vendor != q.Of["vendor"] || status != statusToFile && status != statusFiled {
			continue
		}
		f := facts[caseKey{c.unit, c.id}]
		if f == nil {
			f = &packetFacts{}
		}
		for _, cost := range c.costs {
			if cost.cover == nil {
				continue
			}
			row, err := c.packetRow(cost, f, times)
			if err != nil {
				return nil, nil, err
			}
			row["status"] = status
			rows = append(rows, row)
		}
	}
	return rows, nil, nil
}

// packetRow is one cost of a case. The lines that it names sum to its amount.
func (c *vendorCase) packetRow(cost vendorCost, f *packetFacts, times map[domain.Identity]spent) (Row, error) {
	sum, lines, rates := new(big.Rat), []string{}, []string{}
	for _, l := range f.lines[cost.element] {
		sum.Add(sum, l.amount)
		lines = append(lines, fmt.Sprintf("%s %s %s %s", l.source, l.id, l.account, l.amount.FloatString(4)))
		if s := times[domain.Identity{Source: l.source, ID: l.id}]; s.minutes > 0 &&
			(cost.element == domain.Labour.String() || cost.element == domain.Fleet.String()) {
			rates = append(rates, s.words(cost.element, l.amount))
		}
	}
	if sum.Cmp(cost.amount) != 0 {
		return nil, fmt.Errorf("the journal lines of case %s, %s, sum to %s and not to %s", c.id, cost.element,
			sum.FloatString(4), cost.amount.FloatString(4))
	}
	condition := strings.ReplaceAll(c.kind, "_", " ")
	if len(f.grades) > 0 {
		condition += ", came back as " + strings.Join(f.grades, ", ")
	}
	party := "supplier"
	if c.party == "carrier" || c.party != "supplier" && c.cause == "carrier" {
		party = "carrier"
	}
	return Row{"case": c.id, "order": c.order, "store": c.store, "party": party, "sku": listed(f.skus),
		"quantity": listed(f.pieces), "ordered": moment(f.ordered), "promised": moment(f.promised),
		"delivered": moment(f.delivered), "reported": moment(&c.reported), "condition": condition,
		"element": cost.element, "amount": cost.amount.FloatString(4), "rate": rates, "share": cost.cover.text,
		"clause": cost.cover.clause, "claimed": cost.covered.FloatString(4), "lines": lines,
		"evidence": listed(f.evidence)}, nil
}

// words say how much time a cost is of, and what an hour of it comes to; of a trip also the way, which is in its cost.
func (s spent) words(element string, amount *big.Rat) string {
	text := strconv.FormatFloat(s.minutes, 'f', -1, 64) + " minutes"
	if element == domain.Fleet.String() {
		if s.km != "" {
			text += " and " + s.km + " km"
		}
		return text
	}
	minutes := new(big.Rat).SetFloat64(s.minutes)
	hour := new(big.Rat).Mul(amount, new(big.Rat).Quo(big.NewRat(60, 1), minutes))
	return text + " at " + hour.FloatString(2) + " an hour"
}

func listed(all []string) []string {
	if all == nil {
		return []string{}
	}
	return all
}

// moment is a time as text; nil where there is none.
func moment(at *time.Time) any {
	if at == nil || at.Unix() <= 0 {
		return nil
	}
	return at.UTC().Format(time.RFC3339)
}

func readPacketFacts(ctx context.Context, db driver.Conn, q *Query) (map[caseKey]*packetFacts,
	map[domain.Identity]spent, error) {
	all := map[caseKey]*packetFacts{}
	of := func(unit, id string) *packetFacts {
		key := caseKey{unit, id}
		if all[key] == nil {
			all[key] = &packetFacts{lines: map[string][]packetLine{}}
		}
		return all[key]
	}
	if err := readPacketLines(ctx, db, q, of); err != nil {
		return nil, nil, err
	}
	var evidence []struct {
		Unit   string   `ch:"unit"`
		ID     string   `ch:"error_id"`
		Events []string `ch:"events"`
	}
	if err := q.make("packet_evidence").Select(ctx, db, &evidence); err != nil {
		return nil, nil, fmt.Errorf("list the evidence of a claim: %w", err)
	}
	for _, e := range evidence {
		of(e.Unit, e.ID).evidence = e.Events
	}
	times, err := readPacketGoods(ctx, db, q, of)
	if err != nil {
		return nil, nil, err
	}
	var orders []struct {
		Unit      string     `ch:"unit"`
		Ordered   *time.Time `ch:"ordered"`
		Promised  *time.Time `ch:"promised"`
		Delivered *time.Time `ch:"delivered"`
	}
	if err := q.make("packet_orders").Select(ctx, db, &orders); err != nil {
		return nil, nil, fmt.Errorf("read the orders of a claim: %w", err)
	}
	for _, o := range orders {
		for key, f := range all {
			if key.unit == o.Unit {
				f.ordered, f.promised, f.delivered = o.Ordered, o.Promised, o.Delivered
			}
		}
	}
	return all, times, nil
}

func readPacketLines(ctx context.Context, db driver.Conn, q *Query, of func(unit, id string) *packetFacts) error {
	var found []struct {
		Unit    string    `ch:"of_unit"`
		ID      string    `ch:"of_case"`
		Element string    `ch:"of_element"`
		Source  string    `ch:"of_source"`
		Event   string    `ch:"event_id"`
		At      time.Time `ch:"occurred_at"`
		Account string    `ch:"of_account"`
		Amount  string    `ch:"of_amount"`
	}
	if err := q.make("packet_lines").Select(ctx, db, &found); err != nil {
		return fmt.Errorf("list the journal lines of a claim: %w", err)
	}
	for _, l := range found {
		amount, is := new(big.Rat).SetString(l.Amount)
		if !is {
			return fmt.Errorf("%q of event %s is no amount", l.Amount, l.Event)
		}
		f := of(l.Unit, l.ID)
		f.lines[l.Element] = append(f.lines[l.Element], packetLine{l.Source, l.Event, l.Account, amount})
	}
	return nil
}

func readPacketGoods(ctx context.Context, db driver.Conn, q *Query,
	of func(unit, id string) *packetFacts) (map[domain.Identity]spent, error) {
	var found []struct {
		Unit    string  `ch:"unit"`
		ID      string  `ch:"error_id"`
		Source  string  `ch:"of_source"`
		Event   string  `ch:"event_id"`
		Said    string  `ch:"said"`
		Lines   [][]any `ch:"lines"`
		Minutes float64 `ch:"minutes"`
		Km      string  `ch:"km"`
	}
	if err := q.make("packet_goods").Select(ctx, db, &found); err != nil {
		return nil, fmt.Errorf("read the goods of a claim: %w", err)
	}
	times := map[domain.Identity]spent{}
	for _, e := range found {
		f := of(e.Unit, e.ID)
		times[domain.Identity{Source: e.Source, ID: e.Event}] = spent{e.Minutes, e.Km}
		for _, l := range e.Lines {
			switch domain.ParseType([]byte(e.Said)) {
			case domain.TypeErrorReported:
				f.skus, f.pieces = append(f.skus, fmt.Sprint(l[0])), append(f.pieces, fmt.Sprint(l[1]))
			case domain.TypeReturnReceived:
				if grade := strings.ReplaceAll(fmt.Sprint(l[2]), "_", " "); !slices.Contains(f.grades, grade) {
					f.grades = append(f.grades, grade)
				}
			}
		}
	}
	return times, nil
}
