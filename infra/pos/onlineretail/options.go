package onlineretail

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/makegood/makegood/domain"
)

// Source is the CloudEvents source of every imported event. The ids are made of invoice numbers and row positions, so
// importing the file twice changes nothing.
const Source = "urn:onlineretail:uci"

// Currency is that of the file.
const Currency = "GBP"

// The roles whose hours the import prices.
const (
	agent     = "agent"
	inspector = "inspector"
)

// Options is what the importing person decides. Start from Defaults.
type Options struct {
	StoreID string
	Rates   Rates
	// KeyingWindow is how soon after its sale the cancellation of a whole line counts as a keying mistake undone; zero:
	// never. In the file such cancellations thin out after the first hour, and next come those of the next morning.
	KeyingWindow time.Duration
}

// Rates are the costs that the file doesn't hold. They are assumptions, and Assumptions says them to the reader.
type Rates struct {
	// CostShare is the cost of goods as a share of their price, 0 to 1.
	CostShare domain.Decimal
	// AgentHour and InspectorHour are the cost of an hour of those who handle a case and those who look at a return.
	AgentHour, InspectorHour domain.Decimal
	// CaseMinutes is spent by an agent on each case of a customer; InspectMinutes by an inspector on each returned line.
	CaseMinutes, InspectMinutes domain.Decimal
}

const one = 1_000_000 // domain.Decimal counts millionths

// Defaults are plausible for a British wholesaler of gifts in 2011, and no more than that.
func Defaults() Options {
	return Options{
		StoreID:      "uk-web",
		KeyingWindow: time.Hour,
		Rates: Rates{
			CostShare:      600_000, // 0.6: the margin before overheads of a wholesaler of gifts is about 40 %
			AgentHour:      18 * one,
			InspectorHour:  15 * one,
			CaseMinutes:    12 * one,
			InspectMinutes: 4 * one,
		},
	}
}

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	var problems []error
	if o.StoreID == "" || len(o.StoreID) > 128 ||
		strings.ContainsFunc(o.StoreID, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		problems = append(problems,
			errors.New("the store's id must have 1 to 128 characters, none of them a control character"))
	}
	if o.KeyingWindow < 0 {
		problems = append(problems, fmt.Errorf("the keying window %s is negative", o.KeyingWindow))
	}
	if r := o.Rates; r.CostShare < 0 || r.CostShare > one {
		problems = append(problems, fmt.Errorf("the cost share %s is not between 0 and 1", r.CostShare))
	}
	for _, r := range []struct {
		name  string
		value domain.Decimal
	}{
		{"an agent's hour", o.Rates.AgentHour}, {"an inspector's hour", o.Rates.InspectorHour},
		{"the minutes of a case", o.Rates.CaseMinutes}, {"the minutes of an inspection", o.Rates.InspectMinutes},
	} {
		if r.value < 0 || r.value%100 != 0 {
			problems = append(problems, fmt.Errorf("%s: %s is negative or has more than 4 decimals", r.name, r.value))
		}
	}
	return errors.Join(problems...)
}

// Assumptions says in words what the import adds to the file, for the person who reads its reports.
func (o Options) Assumptions() string {
	r := o.Rates
	var b strings.Builder
	fmt.Fprintf(&b, "The file holds neither costs nor handling times. Assumed, and changeable:\n")
	fmt.Fprintf(&b, "- goods cost %s of their price (cost share); a gift or a write-off, of the median price of its item "+
		"in the file\n", r.CostShare)
	fmt.Fprintf(&b, "- each cancelled line takes an agent %s minutes, at %s %s an hour\n", r.CaseMinutes, r.AgentHour,
		Currency)
	fmt.Fprintf(&b, "- each returned line takes an inspector %s minutes, at %s %s an hour, and is saleable again\n",
		r.InspectMinutes, r.InspectorHour, Currency)
	fmt.Fprintf(&b, "- a whole line cancelled within %s of its sale is a keying mistake undone, not a failure\n",
		o.KeyingWindow)
	fmt.Fprintf(&b,
		"- prices are net of tax; charges that are no goods (postage, entries by hand, samples) cost nothing\n")
	fmt.Fprintf(&b, "- all of it belongs to store %s; times are those of London\n", o.StoreID)
	return b.String()
}
