package insight

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/sql"
)

// listOf makes a question of a list: the orders, cases or events that the figures of another question's row are made
// of. of is the name of its statement, which lists them where its data says so: figures and lists are of one text, so
// they can't part. listing is what the data says. A parameter that is a column narrows the list to what has its value
// there, and what is not given narrows nothing. The last column is link, to the story of each.
func listOf(of, listing string, q Question) *Question {
	q.Columns = append(q.Columns, Column{Name: "link", Unit: Text, About: "Where its events and journal lines are."})
	q.Read = func(ctx context.Context, db driver.Conn, asked *Query) ([]Row, map[string][]Row, error) {
		rows, err := asked.list(ctx, db, of, listing, &q)
		return rows, nil, err
	}
	return &q
}

// chooses is what a statement chooses by, beside what is listed of it.
var chooses = map[string]string{"counter": "placed", "feedback": "rated", "experiments": "drawn"}

func (q *Query) list(ctx context.Context, db driver.Conn, of, listing string, as *Question) ([]Row, error) {
	with := chooses[of]
	if by, is := q.Of["by"]; is {
		with = by
	}
	inner := q.makeListed(of, with, listing, sql.Named("since", q.From), sql.Named("end", q.wholeDays()),
		sql.Named("until", q.untilNow()), sql.Named("groups", 1))
	columns := as.Columns[:len(as.Columns)-1]
	shown, order := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		order[i] = "`" + c.Name + "`"
		shown[i] = "toNullable(toString(" + order[i] + "))"
	}
	var only []string
	for i, c := range columns {
		if _, given := q.Of[c.Name]; given {
			only = append(only, "toString("+order[i]+") = @"+c.Name)
		}
	}
	text := "SELECT " + strings.Join(shown, ", ") + " FROM (" + inner.Text + ")"
	if len(only) > 0 {
		text += " WHERE " + strings.Join(only, " AND ")
	}
	found, err := sql.Statement{Text: text + " ORDER BY " + strings.Join(order, ", "), Args: inner.Args}.Rows(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", as.Name, err)
	}
	defer found.Close()
	var rows []Row
	values := make([]*string, len(columns))
	targets := make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for found.Next() {
		if err := found.Scan(targets...); err != nil {
			return nil, fmt.Errorf("list %s: %w", as.Name, err)
		}
		row, err := q.listedRow(columns, values)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", as.Name, err)
		}
		rows = append(rows, row)
	}
	return rows, found.Err()
}

func (q *Query) listedRow(columns []Column, values []*string) (Row, error) {
	row := Row{}
	text := func(name string) string { s, _ := row[name].(string); return s }
	for i, c := range columns {
		row[c.Name] = nil
		switch v := values[i]; {
		case v == nil:
		case c.Unit == Count:
			n, err := strconv.ParseUint(*v, 10, 64)
			if err != nil {
				return nil, err
			}
			row[c.Name] = n
		default:
			row[c.Name] = *v
		}
	}
	switch {
	case text("case") != "":
		row["link"] = q.story("/v1/cases/", text("case"))
	case text("order") != "":
		row["link"] = q.story("/v1/orders/", text("order"))
	case text("event") != "":
		row["link"] = "/v1/events?" + url.Values{"source": {text("source")}, "id": {text("event")}}.Encode()
	default:
		row["link"] = q.leakageLink("order", "")
	}
	return row, nil
}

// story is the link to a case or an order, as of the moment of the question.
func (q *Query) story(path, id string) string {
	path += url.PathEscape(id)
	if at := q.asOfText(); at != "" {
		path += "?" + url.Values{"as_of": {at}}.Encode()
	}
	return path
}

// asOfText is as_of as it is asked for; empty is now.
func (q *Query) asOfText() string {
	switch c := q.AsOf.Close; {
	case c != nil:
		return fmt.Sprintf("close:%s/%d", c.Period, c.Number)
	case !q.AsOf.Time.IsZero():
		return q.AsOf.Time.UTC().Format(time.RFC3339Nano)
	}
	return ""
}

// listLink is the list of what is behind a row, with the keys that the row is told apart by. A key may be empty: it is
// given then, too. The parameters of the question stay as they are but for those that are keys.
func (q *Query) listLink(name string, keysAndValues ...string) string {
	return "/v1/" + name + "?" + q.values(keysAndValues...).Encode()
}

// leakageLink is the leakage report of the cases that have the values of some keys. It sums to what the row has.
func (q *Query) leakageLink(keysAndValues ...string) string {
	return "/v1/reports/leakage?" + q.values(append(keysAndValues, "group_by", "case,order")...).Encode()
}

// within is the question for other days.
func (q *Query) within(from, to time.Time) *Query {
	other := *q
	other.From, other.To = from, to
	return &other
}

// ofOneStore is the link's store where a row is of one, and nothing where it is of all together.
func ofOneStore(name string) []string {
	if name == allStores {
		return nil
	}
	return []string{"store", name}
}

// link is the column of a row's link to what it is made of.
func link(about string) Column { return Column{Name: "link", Unit: Text, About: about} }

// Lists are the names of the question's lists.
func (q *Question) Lists() []string {
	var all []string
	for _, l := range lists() {
		if name, is := strings.CutPrefix(l.Name, q.Name+"/"); is {
			all = append(all, name)
		}
	}
	return all
}

// IsList reports whether a question is a list of what is behind the rows of another one.
func (q *Question) IsList() bool {
	return slices.ContainsFunc(lists(), func(l *Question) bool { return l.Name == q.Name })
}
