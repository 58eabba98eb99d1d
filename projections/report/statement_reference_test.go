package report_test

import (
	"cmp"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/reference"
	"github.com/makegood/makegood/infra/clickhouse"
	"github.com/makegood/makegood/projections/bookstest"
	"github.com/makegood/makegood/projections/report"
)

// TestStatementsAgainstReference: every account of every store opens, moves and closes as the second set of books says,
// by posting and by occurred, and the cases of every store and vendor sum to the leakage report of the month.
func TestStatementsAgainstReference(t *testing.T) {
	t.Parallel()
	for _, seed := range bookstest.Seeds(t, 2, 1) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			compareStatements(t, seed)
		})
	}
}

func compareStatements(t *testing.T, seed int64) {
	store := bookstest.Open(t)
	records := bookstest.Generated(t, seed)
	want, err := reference.Run(records, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	bookstest.Book(t, store, records, rand.New(rand.NewPCG(uint64(seed), 3)))
	for _, month := range []string{"2025-12", "2026-01", "2026-03"} {
		period, err := domain.ParsePeriod(month)
		if err != nil {
			t.Fatal(err)
		}
		from, to := period.First().Format(time.DateOnly), (period + 1).First().Format(time.DateOnly)
		for _, of := range []report.StatementQuery{{Store: "s1"}, {Store: "s3"}, {Vendor: "v-acme"}, {Vendor: "v-córdoba"}} {
			for _, by := range []string{"posting", "occurred"} {
				of.Period, of.PeriodBy = period, by
				got, err := report.ReadStatement(t.Context(), store.DB, of, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				mine := func(l reference.Line) bool {
					if of.Store != "" {
						return l.Store == of.Store
					}
					return want.VendorOf(l) == of.Vendor
				}
				if g, w := statementText(got), accountsOf(want, mine, month, by); g != w {
					t.Errorf("seed %d, %s%s, %s by %s:\n%s", seed, of.Store, of.Vendor, month, by, bookstest.Difference(g, w))
				}
				for _, c := range got.Currencies {
					answer, err := want.Leakage(from, to, []string{"store", "vendor"}, "economic", by, c.Currency)
					if err != nil {
						t.Fatal(err)
					}
					net := new(big.Rat)
					for _, row := range answer.Rows {
						if of.Store != "" && row.Key["store"] == of.Store || of.Vendor != "" && row.Key["vendor"] == of.Vendor {
							amount, _ := new(big.Rat).SetString(row.Net)
							net.Add(net, amount)
						}
					}
					if net.FloatString(4) != c.Net {
						t.Errorf("seed %d, %s%s, %s by %s: the cases sum to %s %s, the report to %s", seed, of.Store, of.Vendor, month,
							by, c.Net, c.Currency, net.FloatString(4))
					}
				}
			}
		}
	}
	tieMonths(t, store, want, seed)
}

// tieMonths: month by month, each opens as the one before has closed, opening + debit − credit = closing, and what
// the two ways of counting differ by is what came late, no more; so all months together move every account by the same.
func tieMonths(t *testing.T, store *clickhouse.Store, want *reference.Books, seed int64) {
	t.Helper()
	first, last := want.Entries[0].OriginPeriod, want.Entries[0].PostingPeriod
	for i := range want.Entries {
		first, last = min(first, want.Entries[i].OriginPeriod), max(last, want.Entries[i].PostingPeriod)
	}
	sums := map[string]map[string]*big.Rat{}
	for _, by := range []string{"posting", "occurred"} {
		closed, moved := map[string]string{}, map[string]*big.Rat{}
		for month := period(t, first); month <= period(t, last); month++ {
			s, err := report.ReadStatement(t.Context(), store.DB, report.StatementQuery{Store: "s1", Period: month,
				PeriodBy: by}, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			before := closed
			closed = map[string]string{}
			for _, c := range s.Currencies {
				for _, a := range c.Accounts {
					key := c.Currency + " " + a.Account
					n := figuresOf(t, a.Opening, a.Debit, a.Credit, a.Closing)
					change := new(big.Rat).Sub(n[1], n[2])
					if new(big.Rat).Add(n[0], change).Cmp(n[3]) != 0 {
						t.Errorf("seed %d, %s by %s: %+v doesn't tie", seed, month, by, a)
					}
					if was := before[key]; a.Account < "4000" && was != a.Opening && (was != "" || n[0].Sign() != 0) ||
						a.Account >= "4000" && n[0].Sign() != 0 {
						t.Errorf("seed %d, %s by %s: %s opens with %s and was closed with %q", seed, month, by, key, a.Opening, was)
					}
					delete(before, key)
					closed[key] = a.Closing
					if moved[key] == nil {
						moved[key] = new(big.Rat)
					}
					moved[key].Add(moved[key], change)
					if key = month.String() + " " + key; sums[key] == nil {
						sums[key] = map[string]*big.Rat{}
					}
					sums[key][by] = change
				}
			}
			for key, was := range before {
				if balance := figuresOf(t, was)[0]; strings.Fields(key)[1] < "4000" && balance.Sign() != 0 {
					t.Errorf("seed %d, %s by %s: %s was closed with %s, and is not there", seed, month, by, key, was)
				}
			}
		}
		for key, sum := range moved {
			if sums["all "+key] == nil {
				sums["all "+key] = map[string]*big.Rat{}
			}
			sums["all "+key][by] = sum
		}
	}
	cameLate(t, want, sums, seed)
}

// cameLate: the two ways of counting differ by what came late, which is in the month that took it by posting, and in
// its own by occurred.
func cameLate(t *testing.T, want *reference.Books, sums map[string]map[string]*big.Rat, seed int64) {
	t.Helper()
	late := 0
	difference := map[string]*big.Rat{}
	for i := range want.Entries {
		e := &want.Entries[i]
		if e.OriginPeriod == e.PostingPeriod {
			continue
		}
		for _, l := range e.Lines {
			if l.Store != "s1" {
				continue
			}
			late++
			for month, sign := range map[string]int64{e.PostingPeriod: 1, e.OriginPeriod: -1} {
				key := month + " " + l.Currency + " " + l.Account
				if difference[key] == nil {
					difference[key] = new(big.Rat)
				}
				difference[key].Add(difference[key], new(big.Rat).Mul(l.Amount, big.NewRat(sign, 1)))
			}
		}
	}
	if late == 0 {
		t.Fatalf("seed %d: nothing came late", seed)
	}
	zero := new(big.Rat)
	for key, by := range sums {
		got := new(big.Rat).Sub(cmp.Or(by["posting"], zero), cmp.Or(by["occurred"], zero))
		if wanted := cmp.Or(difference[key], zero); got.Cmp(wanted) != 0 {
			t.Errorf("seed %d, %s: by posting and by occurred differ by %s, and what came late is %s", seed, key,
				got.FloatString(4), wanted.FloatString(4))
		}
		delete(difference, key)
	}
	for key, left := range difference {
		if left.Sign() != 0 {
			t.Errorf("seed %d, %s: %s came late, and no statement has it", seed, key, left.FloatString(4))
		}
	}
}

func figuresOf(t *testing.T, texts ...string) (all []*big.Rat) {
	t.Helper()
	for _, text := range texts {
		r, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("%q is no amount", text)
		}
		all = append(all, r)
	}
	return all
}

func statementText(s *report.Statement) string {
	var lines []string
	for _, c := range s.Currencies {
		for _, a := range c.Accounts {
			lines = append(lines, fmt.Sprint(c.Currency, " ", a.Account, " ", a.Opening, " ", a.Debit, " ", a.Credit, " ",
				a.Closing))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// accountsOf goes through the reference's entries one by one; mine says which lines count.
func accountsOf(b *reference.Books, mine func(reference.Line) bool, month, by string) string {
	sums := map[string]*[3]*big.Rat{}
	for i := range b.Entries {
		e := &b.Entries[i]
		in := e.PostingPeriod
		if by == "occurred" {
			in = e.OriginPeriod
		}
		if in > month {
			continue
		}
		for _, l := range e.Lines {
			if !mine(l) {
				continue
			}
			key := l.Currency + " " + l.Account
			if sums[key] == nil {
				sums[key] = &[3]*big.Rat{{}, {}, {}}
			}
			s := sums[key]
			switch {
			case in < month && l.Account < "4000":
				s[0].Add(s[0], l.Amount)
			case in < month:
			case l.Amount.Sign() > 0:
				s[1].Add(s[1], l.Amount)
			default:
				s[2].Sub(s[2], l.Amount)
			}
		}
	}
	var lines []string
	for key, s := range sums {
		if s[0].Sign() == 0 && s[1].Sign() == 0 && s[2].Sign() == 0 {
			continue
		}
		closing := new(big.Rat).Add(s[0], s[1])
		closing.Sub(closing, s[2])
		lines = append(lines, fmt.Sprint(key, " ", s[0].FloatString(4), " ", s[1].FloatString(4), " ", s[2].FloatString(4),
			" ", closing.FloatString(4)))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
