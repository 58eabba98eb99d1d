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

// fromMargin is true of the steps that the chart shows. Sales and goods would make the others too small to be seen.
const fromMargin = `n >= 4`

// Bars of the waterfall reach from low to high. What is above zero and what is below are series of their own, since
// Grafana stacks the two apart; a series without color carries what doesn't begin at zero.
const (
	aboveZero = `greatest(high, 0) - greatest(low, 0)`
	belowZero = `least(low, 0) - least(high, 0)`
)

func waterfallChart() Panel {
	series := func(is, name string) string {
		return `,
       if(` + is + `, ` + aboveZero + `, 0) AS "` + name + `",
       if(` + is + `, ` + belowZero + `, 0) AS "` + name + ` below zero"`
	}
	columns := []Column{{Name: "Carries", Shows: amount, Color: "transparent", Hidden: true},
		{Name: "Carries below zero", Shows: amount, Color: "transparent", Hidden: true}}
	for _, c := range []Column{{Name: "Margin", Color: totalColor}, {Name: "Adds", Color: backColor},
		{Name: "Takes", Color: lossColor}} {
		c.Shows = amount
		columns = append(columns, c, Column{Name: c.Name + " below zero", Shows: amount, Color: c.Color, Hidden: true})
	}
	return Panel{Kind: bars, Title: "From the margin without failures down", Width: 14, Unit: money, Stacked: true,
		Horizontal: true, Category: "Step", Nothing: "nothing in that time",
		Description: "Each bar begins where the one before ended. What the orders would have brought without failures, " +
			"less what was no failure and all failure costs, is the true margin: −Σ of all lines on 4xxx and 5xxx. So that " +
			"the steps can be seen, the axis doesn't begin at zero where all of it is above zero.",
		SQL: waterfall + `
SELECT step AS "Step", if(low > 0, low, 0) AS "Carries", if(high < 0, high, 0) AS "Carries below zero"` +
			series(`is_total`, "Margin") + series(`NOT is_total AND amount > 0`, "Adds") +
			series(`NOT is_total AND amount < 0`, "Takes") + `
FROM (SELECT *, least(before, after) AS low, greatest(before, after) AS high FROM steps)
WHERE ` + fromMargin + ` ORDER BY n`,
		Columns: columns,
		Floor: &Floor{With: waterfall,
			Value: `if(min(low) <= 0 OR min(low) = max(high), NULL,
       toFloat64(greatest(0, min(low) - (max(high) - min(low)) / 4)))`,
			From: `(SELECT if(is_total, after, least(before, after)) AS low, greatest(before, after) AS high
    FROM steps WHERE ` + fromMargin + `)`}}
}

func waterfallTable() Panel {
	return Panel{Kind: table, Title: "The same, exactly", Width: 10,
		Description: "Every step from sales to the true margin, with all four decimals. A minus takes something away.",
		SQL: waterfall + `
SELECT step AS "Step", ` + exactly("if(is_total, after, amount)") + ` AS "Exactly"
FROM steps ORDER BY n`,
		Columns: []Column{{Name: "Step"}, {Name: "Exactly", Shows: exact}}}
}
