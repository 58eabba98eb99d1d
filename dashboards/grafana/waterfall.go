package grafana

import (
	"embed"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/sql"
)

// waterfall is the steps from sales to the true margin as a table: their order, name, amount, where their bar begins
// and ends, and whether they are a sum of what stands before them. The steps are those of the contract: the perfect
// orders, what customers changed, changed minds and unfounded cases, and the failures by what the money went on.
var waterfall = statements.Text("waterfall", map[string]string{
	"lines": journalLines, "leaks": leaks, "in_view": inView,
	"sales": brought(`a = ` + account(domain.Sales)), "goods": brought(`a = ` + account(domain.CostOfGoods)),
	"brought": brought(profitAndLoss), "given_back": lost(domain.Refund, domain.Concession),
	"lost_goods": lost(domain.Goods, domain.WriteDownElement), "freight": lost(domain.FreightOut, domain.FreightReturn),
	"trucks": lost(domain.Fleet), "labour": lost(domain.Labour),
	"penalties": lost(domain.Dispute, domain.Marketplace), "recovered": recoveries,
	"customers": customerChanges, "minds": changedMind, "mistaken": unfounded,
})

//go:embed sql
var files embed.FS

var statements = sql.Parse(files, "sql")

// brought is the sum of the journal lines that a condition is true of, with the sign of profit.
func brought(condition string) string { return `-sumIf(x, ` + condition + `)` }

// lost is what failures of these elements cost, below zero.
func lost(elements ...domain.Element) string {
	var of []string
	for _, e := range elements {
		of = append(of, e.String())
	}
	return `-sumIf(amount, element IN ` + names(of) + `)`
}
