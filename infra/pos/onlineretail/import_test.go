package onlineretail

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/makegood/makegood/domain"
)

// sample is a handmade file that holds every trap of the real one.
func sample(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/sample.csv")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func importAll(t *testing.T, text []byte, options Options) ([]*domain.Event, Account) {
	t.Helper()
	var events []*domain.Event
	account, err := Import(context.Background(), bytes.NewReader(text), options, func(e *domain.Event) error {
		events = append(events, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return events, account
}

// say writes an event in one line.
func say(e *domain.Event) string {
	lines := func(all []domain.GoodsLine) (s string) {
		for _, l := range all {
			s += fmt.Sprintf(" %s×%s@%s", l.Quantity, l.SKU, cost(l.UnitCost))
		}
		return s
	}
	s := fmt.Sprintf("%s %s %s", e.Time.Format("01-02T15:04Z07:00"), e.ID, e.Subject())
	switch d := e.Data.(type) {
	case *domain.RateSet:
		return s + fmt.Sprintf(" rate %s %s=%s from %s", d.Rate, d.Key, d.Value, d.EffectiveFrom.Format("01-02T15:04Z07:00"))
	case *domain.OrderPlaced:
		s += " order of " + d.CustomerID + " fee " + d.DeliveryFee.String()
		for _, l := range d.Lines {
			s += fmt.Sprintf(" %s:%s×%s %s@%s", l.LineID, l.Quantity, l.SKU, l.UnitPrice, cost(l.UnitCost))
		}
		return s
	case *domain.OrderCancelled:
		s += fmt.Sprintf(" cancelled by %s net %s cost %s", d.By, d.Net.Value, cost(d.Cost))
		for _, l := range d.Lines {
			s += fmt.Sprintf(" %s×line %s as %s", l.Quantity, l.LineID, d.ChangeID)
		}
		return s
	case *domain.ErrorReported:
		return s + fmt.Sprintf(" error %s %s %s, %s %s", e.ErrorID, d.Kind, d.RootCause, d.Found, d.DetectedBy)
	case *domain.RefundIssued:
		return s + " refund " + d.Net.String()
	case *domain.ReturnReceived:
		l := &d.Lines[0]
		return s + " return" + lines([]domain.GoodsLine{l.GoodsLine}) + " " + l.Was + " " + l.Grade + " " +
			d.InspectMinutes.String()
	case *domain.LabourSpent:
		return s + " labour " + d.Role + " " + d.Minutes.String()
	case *domain.GoodsScrapped:
		return s + " scrapped" + lines(d.Lines) + " " + d.Reason
	}
	return s + fmt.Sprintf(" %T", e.Data)
}

func cost(c domain.Optional) string {
	if !c.Set {
		return "?"
	}
	return c.Value.String()
}

// sampleEvents are those of the sample, in the words of say.
const sampleEvents = `
03-25T00:00Z rate-labour_hour-agent-18  rate labour_hour agent=18 from 03-25T00:00Z
03-25T00:00Z rate-labour_hour-inspector-15  rate labour_hour inspector=15 from 03-25T00:00Z
03-25T08:26Z 600001 600001 order of 17850 fee 36 1:6×85123A 2.55@1.53 2:6×71053 3.39@2.034
03-28T09:00+01:00 600002 600002 order of 17850 fee 0 1:2×85123A 2.95@1.77 2:100×84826 0@?
03-28T09:05+01:00 600003 600003 order of  fee 0 1:1×DOT 9.5@0
03-28T09:10+01:00 600004 600004 order of  fee 0 1:1×22197 1.45@0.87 2:1×22198 0@? 4:1×M 3.125@0
03-28T09:30+01:00 600006-1-error 600006-1 error 600006-1 damaged unknown, before_delivery employee
03-28T09:30+01:00 600006-1-scrapped 600006-1 scrapped 10×22197@0.87 damaged
03-28T09:31+01:00 600007-1-error 600007-1 error 600007-1 unspecified unknown, before_delivery employee
03-28T09:31+01:00 600007-1-scrapped 600007-1 scrapped 3×99999@? 
03-28T10:00+01:00 600008 600008 order of 16446 fee 0 1:80995×23843 2.08@1.248
03-28T10:12+01:00 C600009-1-cancelled 600008 cancelled by customer net 168469.6 cost 101081.76
03-29T11:00+01:00 C600010-1-error 600002 error C600010-1 unspecified , after_delivery customer
03-29T11:00+01:00 C600010-1-refund 600002 refund 2.95
03-29T11:00+01:00 C600010-1-return 600002 return 1×85123A@1.77 sold saleable 4
03-29T11:00+01:00 C600010-1-labour 600002 labour agent 12
03-29T11:00+01:00 C600010-2-error 600001 error C600010-2 unspecified , after_delivery customer
03-29T11:00+01:00 C600010-2-refund 600001 refund 5.1
03-29T11:00+01:00 C600010-2-return 600001 return 2×85123A@1.53 sold saleable 4
03-29T11:00+01:00 C600010-2-labour 600001 labour agent 12
03-29T11:00+01:00 C600010-3-error 600001 error C600010-3 unspecified , after_delivery customer
03-29T11:00+01:00 C600010-3-refund 600001 refund 18
03-29T11:00+01:00 C600010-3-labour 600001 labour agent 12
03-29T12:07+01:00 600019 600019 order of 12345 fee 0 1:1×BANK CHARGES 15@0
03-30T08:00+01:00 600001~2 600001~2 order of 17850 fee 0 5:1×71053 3.39@2.034
03-30T08:00+01:00 600001~3 600001~3 order of 17851 fee 0 6:4×71053 3.39@2.034
03-30T08:30+01:00 600021 600021 order of 12346 fee 0 1:3×22197 1.45@0.87 2:2×71053 3.39@2.034 3:1×POST 18@0
03-30T08:41+01:00 C600022-1-cancelled 600021 cancelled by customer net 6.78 cost ? 2×line 2 as C600022-1-cancelled
03-30T08:41+01:00 C600022-2-cancelled 600021 cancelled by customer net 18 cost ? 1×line 3 as C600022-2-cancelled
`

func TestSampleBecomesTheseEvents(t *testing.T) {
	events, account := importAll(t, sample(t), Defaults())
	want := strings.Split(strings.TrimSpace(sampleEvents), "\n")
	var got []string
	for _, e := range events {
		got = append(got, say(e))
		if e.Source != Source || e.StoreID != "uk-web" && e.Type != domain.TypeRateSet || e.Currency != "GBP" {
			t.Errorf("%s: source %q, store %q, currency %q", e.ID, e.Source, e.StoreID, e.Currency)
		}
	}
	for i := range max(len(got), len(want)) {
		var g, w string
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("event %d\n got %s\nwant %s", i, g, w)
		}
	}

	rows := map[Category]int{
		SoldGoods: 9, FreeGoods: 2, DeliveryFees: 3, OtherCharges: 2, CancelledGoods: 2, CancelledCharges: 1,
		KeyingMistakes: 3, WriteOffs: 2, DuplicateRows: 1, NoCustomer: 1, NoEarlierSale: 1, NoEarlierCharge: 1,
		Discounts: 1, Samples: 1, MarketplaceFees: 2, BankCharges: 1, CharityCommission: 1, BadDebt: 1, GiftVouchers: 1,
		StockFound: 1, NotUnderstood: 3,
	}
	for _, c := range Categories() {
		if n := account.Of(c).Rows; n != rows[c] {
			t.Errorf("%d rows instead of %d: %s", n, rows[c], c)
		}
	}
	if account.Rows != 40 || account.Accounted() != 40 {
		t.Errorf("%d rows, %d accounted for, instead of 40", account.Rows, account.Accounted())
	}
	if account.Orders != 9 || account.Cases != 3 || account.StockCases != 2 || account.Unpriced != 3 ||
		account.Events != len(events) {
		t.Errorf("account: %+v", account)
	}
	if len(account.Problems) != 3 {
		t.Errorf("problems: %q", account.Problems)
	}
	if text := account.String(); !strings.Contains(text, "40  rows accounted for, of 40") ||
		strings.Count(text, "not understood: ") != 4 {
		t.Errorf("the account reads\n%s", text)
	}
}

func TestOrderOfRowsDoesNotMatterAcrossTime(t *testing.T) {
	text := sample(t)
	want, _ := importAll(t, text, Defaults())
	lines := strings.SplitAfter(string(text), "\n")
	// The same file with its days backwards: rows of one minute keep their order, as they would in any export.
	body := slices.Clone(lines[1 : len(lines)-1])
	slices.SortStableFunc(body, func(a, b string) int { return strings.Compare(date(b), date(a)) })
	got, _ := importAll(t, []byte(lines[0]+strings.Join(body, "")), Defaults())
	if len(got) != len(want) {
		t.Fatalf("%d events instead of %d", len(got), len(want))
	}
	for i := range got {
		// Positions within an invoice are those of the file, and one invoice stands on two days.
		if g, w := say(got[i]), say(want[i]); g != w && !strings.Contains(w, "600001") {
			t.Errorf("event %d\n got %s\nwant %s", i, g, w)
		}
	}
}

func date(row string) string {
	at := strings.Index(row, ",2011-")
	if at < 0 {
		return ""
	}
	return row[at : at+20]
}

func TestGzipIsUnpacked(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(sample(t)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	plain, _ := importAll(t, sample(t), Defaults())
	unpacked, _ := importAll(t, packed.Bytes(), Defaults())
	if len(plain) != len(unpacked) {
		t.Errorf("%d events from the packed file, %d from the plain one", len(unpacked), len(plain))
	}
}

func TestAssumptionsShowInTheEvents(t *testing.T) {
	options := Defaults()
	options.Rates = Rates{CostShare: 333_333, AgentHour: 20 * one}
	options.KeyingWindow = 0
	events, account := importAll(t, sample(t), options)
	for _, e := range events {
		switch d := e.Data.(type) {
		case *domain.LabourSpent:
			t.Errorf("%s: minutes that nobody assumed", e.ID)
		case *domain.OrderPlaced:
			// 2.55 × 0.333333 = 0.84999915 → half even at the 6th decimal.
			if e.ID == "600001" && d.Lines[0].UnitCost.Value != 849_999 {
				t.Errorf("unit cost %s", d.Lines[0].UnitCost.Value)
			}
		}
	}
	if account.Of(KeyingMistakes).Rows != 0 || account.Of(CancelledGoods).Rows != 4 {
		t.Errorf("with no keying window the mistake is not a case:\n%s", account.String())
	}
	text := options.Assumptions()
	for _, want := range []string{"0.333333", "20 GBP", "uk-web"} {
		if !strings.Contains(text, want) {
			t.Errorf("the assumptions don't say %s:\n%s", want, text)
		}
	}
}

func TestRoundingIsHalfEven(t *testing.T) {
	for _, c := range []struct {
		a, b    domain.Decimal
		divisor uint64
		want    domain.Decimal
	}{
		{5, 500_000, one, 2}, {7, 500_000, one, 4}, {3, 500_001, one, 2}, {1, 499_999, one, 0}, {0, 1, one, 0},
		{1 << 50, one, one, 1 << 50},
	} {
		if got := divideHalfEven(c.a, c.b, c.divisor); got != c.want {
			t.Errorf("%d × %d / %d = %d instead of %d", c.a, c.b, c.divisor, got, c.want)
		}
	}
	for unit, want := range map[domain.Decimal]domain.Decimal{17: 100, 16: 0, 10: 0, 49: 100} { // × 3, to 0.0001
		if got := product(3*one, unit); got != want {
			t.Errorf("3 × %s = %s instead of %s", unit, got, want)
		}
	}
	// Halves go to the even side: 0.00005 to 0, 0.00015 to 0.0002.
	if a, b := product(one, 50), product(one, 150); a != 0 || b != 200 {
		t.Errorf("halves: %s and %s", a, b)
	}
}

func TestWriteOffWords(t *testing.T) {
	for words, want := range map[string]string{
		"damages wax": "damaged", "Unsaleable, destroyed.": "damaged", "MERCHANT CHANDLER CREDIT ERROR, STO": "unspecified",
		"faulty": "defective", "incorrectly made-thrown away.": "defective", "???missing": "unspecified", "": "unspecified",
		"wet/rusty": "damaged", "Printing smudges/thrown away": "defective", "sold as set on dotcom": "unspecified",
	} {
		if kind, _ := writeOff(words); kind != want {
			t.Errorf("%q is %s instead of %s", words, kind, want)
		}
	}
}

func TestWhatEndsAnImport(t *testing.T) {
	stop := errors.New("stop")
	_, err := Import(context.Background(), bytes.NewReader(sample(t)), Defaults(), func(e *domain.Event) error {
		if e.ID == "600002" {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || !strings.Contains(err.Error(), "600002") {
		t.Errorf("error of the receiver: %v", err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Import(cancelled, bytes.NewReader(sample(t)), Defaults(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled import: %v", err)
	}
	for name, text := range map[string]string{
		"empty": "", "other header": "a,b,c\n", "broken gzip": "\x1f\x8bxx",
	} {
		if _, err := Import(context.Background(), strings.NewReader(text), Defaults(), nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, spoil := range map[string]func(*Options){
		"store": func(o *Options) { o.StoreID = "" }, "share": func(o *Options) { o.Rates.CostShare = one + 1 },
		"hour": func(o *Options) { o.Rates.AgentHour = -1 }, "window": func(o *Options) { o.KeyingWindow = -1 },
	} {
		options := Defaults()
		spoil(&options)
		if err := options.Validate(); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := Import(context.Background(), strings.NewReader(""), options, nil); err == nil {
			t.Errorf("%s: Import takes it", name)
		}
	}
	// A header alone is a year without a sale.
	events, account := importAll(t, []byte(strings.Join(columns, ",")+"\r\n"), Defaults())
	if len(events) != 0 || account.Rows != 0 {
		t.Errorf("a header alone: %d events", len(events))
	}
}
