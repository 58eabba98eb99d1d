package report

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/projections/sql"
)

// Person is what there is of somebody: as a customer or as an employee.
type Person struct {
	Hashes      []string      `json:"hashes"` // that they may be kept under
	Events      []PersonEvent `json:"events"` // that name them, by time; at most MaxPersonEvents
	LeftOut     uint64        `json:"left_out"`
	Orders      []PersonOrder `json:"orders"`
	Cases       []PersonCase  `json:"cases"`
	DeadLetters []string      `json:"dead_letters"` // ids of those that name them
}

// PersonEvent is an event that names somebody.
type PersonEvent struct {
	Source     string    `json:"source" ch:"source"`
	ID         string    `json:"id" ch:"event_id"`
	Type       string    `json:"type" ch:"event_type"`
	OrderID    string    `json:"order_id" ch:"order_id"`
	ErrorID    string    `json:"error_id" ch:"error_id"`
	OccurredAt time.Time `json:"occurred_at" ch:"occurred_at"`
}

// PersonOrder is one currency of an order that a customer placed.
type PersonOrder struct {
	OrderID      string    `json:"order_id" ch:"order_id"`
	StoreID      string    `json:"store_id" ch:"store_id"`
	PlacedAt     time.Time `json:"placed_at" ch:"placed_at"`
	Currency     string    `json:"currency" ch:"currency"`
	Contribution string    `json:"contribution" ch:"contribution"` // what the order brought
	Net          string    `json:"net" ch:"net"`                   // what its founded fixes took
}

// PersonCase is one currency of a case: of the customer's orders, or put down to the employee.
type PersonCase struct {
	ErrorID  string `json:"error_id" ch:"error_id"`
	OrderID  string `json:"order_id" ch:"order_id"`
	Kind     string `json:"kind" ch:"kind"`
	Currency string `json:"currency" ch:"currency"`
	Net      string `json:"net" ch:"net"`
}

// MaxPersonEvents bounds the list of somebody's events, orders and cases.
const MaxPersonEvents = 10_000

// ReadPerson looks for hashes in all that is kept. It reads the data of every event, which takes its time.
func ReadPerson(ctx context.Context, db driver.Conn, hashes []string) (*Person, error) {
	p := &Person{Hashes: hashes, Events: []PersonEvent{}, Orders: []PersonOrder{}, Cases: []PersonCase{},
		DeadLetters: []string{}}
	named := `(has(?, customer_id) OR multiSearchAny(payload, ?)) AND event_type != ` + sql.Event("person.erased")
	if err := db.Select(ctx, &p.Events, `
SELECT source, event_id, toString(event_type) AS event_type, order_id, error_id, occurred_at
FROM ledger FINAL WHERE `+named+`
ORDER BY occurred_at, source, event_id LIMIT ?`, hashes, hashes, MaxPersonEvents); err != nil {
		return nil, fmt.Errorf("look for a person's events: %w", err)
	}
	var all uint64
	if err := db.QueryRow(ctx, `SELECT count() FROM ledger FINAL WHERE `+named, hashes, hashes).Scan(&all); err != nil {
		return nil, fmt.Errorf("count a person's events: %w", err)
	}
	p.LeftOut = all - min(all, uint64(len(p.Events)))
	for i := range p.Events {
		p.Events[i].OccurredAt = p.Events[i].OccurredAt.UTC()
	}
	var placed, cases []string
	if err := db.QueryRow(ctx, `SELECT groupUniqArray(order_id) FROM ledger FINAL WHERE has(?, customer_id)
    AND event_type = `+sql.Event("order.placed")+` AND order_id != '' AND refused = ''`,
		hashes).Scan(&placed); err != nil {
		return nil, fmt.Errorf("look for a customer's orders: %w", err)
	}
	if err := db.QueryRow(ctx, `SELECT groupUniqArray(c) FROM failures FINAL ARRAY JOIN fact_case AS c, fact_employee AS e
WHERE has(?, e) AND refused = ''`, hashes).Scan(&cases); err != nil {
		return nil, fmt.Errorf("look for an employee's cases: %w", err)
	}
	if err := db.Select(ctx, &p.Orders, `
SELECT order_id, toString(store_id) AS store_id, placed_at, toString(currency) AS currency,
       toDecimalString(contribution, 4) AS contribution, toDecimalString(net, 4) AS net
FROM orders WHERE has(?, order_id) ORDER BY placed_at, order_id, currency LIMIT ?`, placed,
		MaxPersonEvents); err != nil {
		return nil, fmt.Errorf("read a customer's orders: %w", err)
	}
	for i := range p.Orders {
		p.Orders[i].PlacedAt = p.Orders[i].PlacedAt.UTC()
	}
	if err := db.Select(ctx, &p.Cases, `
SELECT error_id, order_id, toString(kind) AS kind, toString(currency) AS currency,
       toDecimalString(net, 4) AS net
FROM cases WHERE has(?, order_id) OR has(?, error_id) ORDER BY error_id, order_id, currency LIMIT ?`, placed, cases,
		MaxPersonEvents); err != nil {
		return nil, fmt.Errorf("read a person's cases: %w", err)
	}
	var letters []string
	if err := db.QueryRow(ctx, `SELECT arraySort(groupUniqArray(id)) FROM dead_letters FINAL
WHERE multiSearchAny(payload, ?) OR multiSearchAny(toString(headers), ?)`, hashes, hashes).Scan(&letters); err != nil {
		return nil, fmt.Errorf("look for a person's dead letters: %w", err)
	}
	p.DeadLetters = append(p.DeadLetters, letters...)
	return p, nil
}
