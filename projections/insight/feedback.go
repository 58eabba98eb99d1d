package insight

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/insight/estimate"
)

// feedback asks what customers say, by what they got. It reads the ratings of the time and the events of their orders.
var feedback = Question{
	Name:  "feedback",
	About: "Ratings, and how many of them are public, by what became of the promise and whether a failure was fixed.",
	Method: "Every rating of the time counts once, with the promise of its order as promises has it, and with whether a " +
		"founded case of the order was fixed (redelivered, refunded or made up for) by the time of the rating. Shares have " +
		"Wilson's interval; groups that overlap can't be told apart.",
	Heading: "What customers say",
	Columns: []Column{
		{Name: "promise", Unit: Text, About: "kept, late, broken, open, withdrawn, or none where no time was promised."},
		{Name: "fix", Unit: Text, About: "no_case, fixed, or not_fixed by the time of the rating."},
		{Name: "ratings", Unit: Count, About: "Ratings of the time.", Sum: true},
		{Name: "mean", Unit: Text, About: "Mean rating, from 1 to 5, with 2 decimals."},
		{Name: "low", Unit: Share, About: "Ratings of 1 or 2 ÷ ratings.", Estimate: true},
		{Name: "public", Unit: Count, About: "Ratings that others can read.", Sum: true},
		{Name: "public_share", Unit: Share, About: "Public ÷ ratings.", Estimate: true},
		link("The ratings, each with its order."),
	},
	Plain: true,
	Read:  readFeedback,
}

func readFeedback(ctx context.Context, db driver.Conn, q *Query) ([]Row, map[string][]Row, error) {
	var found []struct {
		Promise string `ch:"promise"`
		Fix     string `ch:"fix"`
		Ratings uint64 `ch:"ratings"`
		Points  uint64 `ch:"points"`
		Low     uint64 `ch:"low"`
		Public  uint64 `ch:"public"`
	}
	if err := q.makeWith("feedback", "rated").Select(ctx, db, &found); err != nil {
		return nil, nil, fmt.Errorf("count the ratings: %w", err)
	}
	var rows []Row
	for _, f := range found {
		rows = append(rows, Row{"promise": f.Promise, "fix": f.Fix, "ratings": f.Ratings,
			"mean": *estimate.Text(float64(f.Points)/float64(f.Ratings), 2),
			"low":  estimate.Wilson(f.Low, f.Ratings, leastOfAShare, 1), "public": f.Public,
			"public_share": estimate.Wilson(f.Public, f.Ratings, leastOfAShare, 1),
			"link":         q.listLink("feedback/ratings", "promise", f.Promise, "fix", f.Fix)})
	}
	return rows, nil, nil
}
