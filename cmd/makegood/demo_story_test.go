package main

import (
	"testing"
	"time"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/domain/simulator"
)

// TestTheDemosYear: the year has what the demo is to show, it goes on after it at its own pace, and the truck's order
// lies in it.
func TestTheDemosYear(t *testing.T) {
	now := time.Date(2026, 11, 28, 16, 0, 0, 0, time.UTC)
	const orders = 5000
	s, err := simulator.New(demoConfig(now, 1, orders))
	if err != nil {
		t.Fatal(err)
	}
	placed, after, currencies, kinds := 0, 0, map[string]int{}, map[domain.Type]int{}
	for e, more := s.Next(); more; e, more = s.Next() {
		past := !e.Time.After(now)
		switch {
		case past:
			kinds[e.Type]++
		case e.Time.After(now.AddDate(0, 0, demoDays/2)):
			continue
		}
		if e.Type == domain.TypeOrderPlaced && past {
			placed++
			currencies[e.Currency]++
		} else if e.Type == domain.TypeOrderPlaced {
			after++
		}
	}
	if placed < orders*9/10 || placed > orders*115/100 || after < orders*4/10 || after > orders*6/10 {
		t.Errorf("%d orders in the year, %d in the half year after it", placed, after)
	}
	if currencies["USD"] < 3*currencies["EUR"] || currencies["EUR"] < orders/10 {
		t.Errorf("orders by currency: %v", currencies)
	}
	for _, kind := range []domain.Type{domain.TypeVendorTerms, domain.TypeQualitySpent, domain.TypeFeedbackReceived,
		domain.TypeClaimFiled, domain.TypeOrderChanged, domain.TypeFactDecided, domain.TypeEventVoided} {
		if kinds[kind] == 0 {
			t.Errorf("nothing of %s happens", kind)
		}
	}
	truth := s.Truth()
	if p := truth.Preventions[0]; p.Prevented < 2*p.Happened || p.Effect != -0.8 {
		t.Errorf("%+v", p)
	}
	truck := demoTruck(now, "truck-1")
	if len(truck) != 8 || truck[0].Time.After(now) || truck[0].Time.Before(now.AddDate(0, 0, -50)) {
		t.Errorf("%d events of the truck, from %s", len(truck), truck[0].Time)
	}
}

// TestMove: an event that is told at another time promises another time.
func TestMove(t *testing.T) {
	at := time.Date(2026, 11, 28, 16, 0, 0, 0, time.UTC)
	promise := domain.Promise{Until: at.Add(2 * time.Hour)}
	by := 90 * time.Minute
	placed, dispatched := &domain.OrderPlaced{Promise: promise}, &domain.RedeliveryDispatched{Promise: promise}
	changed, moved := &domain.OrderChanged{}, &domain.PromiseChanged{Promise: promise}
	for _, d := range []domain.Data{placed, dispatched, changed, moved} {
		e := domain.Event{Time: at, Data: d}
		if move(&e, by); !e.Time.Equal(at.Add(by)) {
			t.Errorf("%T: told at %s", d, e.Time)
		}
	}
	want := at.Add(2*time.Hour + by)
	for _, p := range []domain.Promise{placed.Promise, dispatched.Promise, moved.Promise} {
		if !p.Until.Equal(want) || !p.From.IsZero() {
			t.Errorf("%+v instead of %s", p, want)
		}
	}
	if !changed.Promise.Until.IsZero() {
		t.Errorf("a promise that nobody made is %s", changed.Promise.Until)
	}
}
