package insight

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/makegood/makegood/projections/insight/estimate"
	"github.com/makegood/makegood/projections/report"
)

// number is a figure as an estimate carries it. Without a figure it is NaN: a comparison with NaN is false, so nothing
// follows from it.
func number(text *string) float64 {
	if text == nil {
		return math.NaN()
	}
	x, err := strconv.ParseFloat(*text, 64)
	if err != nil {
		return math.NaN()
	}
	return x
}

// money writes an amount with two decimals and its currency.
func (q *Query) money(text string) string { return cents(text) + " " + q.Currency }

// cents is an amount as people read it; as it is where it is none.
func cents(text string) string {
	r, is := new(big.Rat).SetString(text)
	if !is {
		return text
	}
	return report.Cents(r)
}

// withRange is an estimate of money in words: 12,300.00 USD (9,100.00 to 15,500.00).
func (q *Query) withRange(e *estimate.Estimate) string {
	return fmt.Sprintf("%s (%s to %s)", q.money(known(e.Value)), cents(known(e.Low)), cents(known(e.High)))
}

// percentOf is a share in whole percent.
func percentOf(text *string) string { return fmt.Sprintf("%.0f %%", 100*number(text)) }

// countOf is a number of things.
func countOf(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatUint(n, 10) + " " + many
}

// named is a name, or what stands for none.
func named(name, none string) string {
	if name == "" {
		return none
	}
	return name
}

// dayInWords is a day: 12 December 2026.
func dayInWords(t time.Time) string { return t.Format("2 January 2006") }

// inDays says when the last day is.
func inDays(days any, last time.Time) string {
	switch text := fmt.Sprint(days); text {
	case "0":
		return "today"
	case "1":
		return "tomorrow"
	default:
		return "in " + text + " days, on " + dayInWords(last)
	}
}

// keyOfAdvice is the key that what an advice is about is a value of: its link has it, where it leads to cases.
func keyOfAdvice(r Row) string {
	question, _ := r["question"].(string)
	link, _ := r["link"].(string)
	if question == "prevention" || strings.Contains(link, "root_cause=") {
		return "root_cause"
	}
	return ""
}
