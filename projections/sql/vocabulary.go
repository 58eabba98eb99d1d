package sql

import (
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/makegood/makegood/domain"
)

// vocabulary are the functions of the templates. Those with a column make a condition on it.
var vocabulary = template.FuncMap{
	"leaks":           Leaks,
	"cost":            Cost,
	"recovery":        Recovery,
	"imputed":         Imputed,
	"profit_and_loss": ProfitAndLoss,
	"revenue":         Revenue,
	"balance_sheet":   BalanceSheet,
	"account":         Account,
	"is_account":      func(name string) string { return "a = " + Account(name) },
	"accounts":        Accounts,
	"failed":          Failed,
	"not_failed":      NotFailed,
	"kinds":           Kinds,
	"event":           Event,
	"events":          Events,
	"paid_elsewhere":  PaidElsewhere,
	"before_delivery": func() string { return quoted(domain.FoundBeforeDelivery) },
	"holdout":         func() string { return quoted(domain.Holdout) },
	"damaged":         func() string { return quoted(domain.ConditionDamaged) },
	"money":           Money,
	"zero":            func() string { return "CAST(0 AS Decimal(38, 4))" },
	"sum_lines":       SumLines,
	"unit":            func() string { return Unit },
	"line_case":       func() string { return LineCase },
	"line_currency":   func() string { return LineCurrency },
	"line_store":      func() string { return LineStore },
	"line_unit":       func() string { return LineUnit },
}

// LineCase, LineCurrency, LineStore and LineUnit are lists, of a row of the ledger, with the case, currency, store and
// unit of each line.
const (
	LineCase     = "if(empty(line_case), arrayWithConstant(length(account), error_id), line_case)"
	LineCurrency = "if(empty(line_currency), arrayWithConstant(length(account), toString(currency)), line_currency)"
	LineStore    = "if(empty(line_store), arrayWithConstant(length(account), toString(store_id)), line_store)"
	LineUnit     = "if(empty(line_order), arrayWithConstant(length(account), " + Unit + "), " +
		"arrayMap(o -> if(o != '', o, " + Unit + "), line_order))"
)

// Unit is, of a row of the ledger, what its event is settled with: the order, or the case that has none.
const Unit = "multiIf(settled_with != '', settled_with, order_id != '', order_id, error_id)"

// SumsByCurrency is a list, of a row of the ledger, with each currency of its lines and what they sum to.
const SumsByCurrency = "arrayMap(c -> (c, arraySum(arrayMap((x, y) -> if(y = c, CAST(x AS Decimal(38, 4)), " +
	"CAST(0 AS Decimal(38, 4))), amount, " + LineCurrency + "))), arrayDistinct(" + LineCurrency + "))"

// Leaks is the condition on elements that are failure cost, recovered or not.
func Leaks(element string) string { return element + " != ''" }

// Cost is the condition on elements that are failure cost before recoveries.
func Cost(element string) string {
	return element + " NOT IN " + list(append([]string{""}, domain.RecoveryElements()...))
}

// Recovery is the condition on elements that bring money back.
func Recovery(element string) string { return element + " IN " + list(domain.RecoveryElements()) }

// Imputed is the condition on the basis of lines that the general ledger has already.
func Imputed(basis string) string { return basis + " = " + quoted(domain.Imputed.String()) }

// ProfitAndLoss is the condition on accounts that count in an order's contribution.
func ProfitAndLoss(account string) string {
	return within(account, domain.FirstProfitAndLoss, domain.EndProfitAndLoss)
}

// Revenue is the condition on accounts of ProfitAndLoss that take money in: they come before the cost of goods.
func Revenue(account string) string {
	return within(account, domain.FirstProfitAndLoss, domain.CostOfGoods)
}

// BalanceSheet is the condition on accounts that carry their balance over to the next month.
func BalanceSheet(account string) string {
	return fmt.Sprintf("%s < %d", account, domain.FirstProfitAndLoss)
}

// Account is the number of an account of the default chart, by its name.
func Account(name string) string {
	for _, c := range domain.Chart() {
		if c.Name == name {
			return fmt.Sprint(uint16(c.Account))
		}
	}
	panic("no account is called " + name)
}

// Accounts is a list of accounts' numbers.
func Accounts(all []domain.Account) string {
	numbers := make([]string, len(all))
	for i, a := range all {
		numbers[i] = fmt.Sprint(uint16(a))
	}
	return strings.Join(numbers, ", ")
}

// Failed is the condition on kinds of cases that are a failure of somebody, the unknown one too.
func Failed(kind string) string { return kind + " NOT IN " + list(domain.NoFailures()) }

// NotFailed is the condition on kinds of cases that are no failure.
func NotFailed(kind string) string { return kind + " IN " + list(domain.NoFailures()) }

// Kinds is a list of kinds of cases, in parentheses.
func Kinds(names ...string) string {
	for _, name := range names {
		if !slices.Contains(domain.Kinds(), name) {
			panic("no kind of case is called " + name)
		}
	}
	return list(names)
}

// Event is the name of a type of event, quoted: of order.placed.
func Event(short string) string {
	name := "makegood." + short + ".v1"
	if domain.ParseType([]byte(name)) == domain.UnknownType {
		panic("no event is called " + short)
	}
	return quoted(name)
}

// Events is a list of such names, in parentheses.
func Events(short ...string) string {
	names := make([]string, len(short))
	for i := range short {
		names[i] = Event(short[i])
	}
	return "(" + strings.Join(names, ", ") + ")"
}

// PaidElsewhere is a list, in parentheses, of the types of events whose money no payment processor moves.
func PaidElsewhere() string {
	var names []string
	for _, t := range domain.PaidElsewhere() {
		names = append(names, t.String())
	}
	return list(names)
}

// Money is an amount in a type that holds any sum of them.
func Money(amount string) string { return "CAST(" + amount + " AS Decimal(38, 4))" }

// SumLines sums, within a row of the ledger, the amounts of the lines that a condition names. In it, a is a line's
// account, e its element, b its basis and x its amount, as far as they occur in it.
func SumLines(condition string) string {
	columns := []struct{ name, column string }{{"a", "account"}, {"e", "element"}, {"b", "basis"}}
	var names, of []string
	for _, c := range columns {
		if slices.Contains(strings.FieldsFunc(condition, func(r rune) bool {
			return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		}), c.name) {
			names, of = append(names, c.name), append(of, c.column)
		}
	}
	names, of = append(names, "x"), append(of, "amount")
	return fmt.Sprintf("arraySum(arrayMap((%s) -> if(%s, CAST(x AS Decimal(38, 4)), CAST(0 AS Decimal(38, 4))), %s))",
		strings.Join(names, ", "), condition, strings.Join(of, ", "))
}

func within(account string, from, before domain.Account) string {
	return fmt.Sprintf("(%[1]s >= %[2]d AND %[1]s < %[3]d)", account, from, before)
}

func list(names []string) string {
	all := make([]string, len(names))
	for i := range names {
		all[i] = quoted(names[i])
	}
	return "(" + strings.Join(all, ", ") + ")"
}

// quoted is for names of the domain, which hold no quotes.
func quoted(name string) string { return "'" + name + "'" }
