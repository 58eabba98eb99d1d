package simulator

import (
	"time"

	"github.com/makegood/makegood/domain"
)

// The rates of the truck case; the whole simulation runs on them.
const (
	fleetHour    domain.Decimal = 60_200_000 // 60.20
	fleetKM      domain.Decimal = 500_000    // 0.50
	agentHour    domain.Decimal = 34 * one
	inspectHour  domain.Decimal = 30 * one
	redeemedPart domain.Decimal = 800_000 // 0.8 of all vouchers

	one = 1_000_000 // domain.Decimal counts millionths
)

// The roles of those who make good.
const (
	roleAgent     = "agent"
	roleInspector = "inspector"
)

// TruckCase is the case that the contract works out to the cent: "We're sorry that part was the wrong size, but one of
// our trucks will be there in an hour with a new part." Its five rates come first, in force from start, then its eight
// events. The ids are made of orderID, and those of the rates of start and currency.
func TruckCase(start time.Time, orderID, storeID, currency string) []domain.Event {
	events := append(make([]domain.Event, 0, 13), truckRates(start, currency)...)
	add := func(after time.Duration, name string, t domain.Type, d domain.Data) {
		e := domain.Event{
			Source: "urn:till:" + storeID + ":truck", ID: orderID + "-" + name, Type: t, Time: start.Add(after),
			OrderID: orderID, StoreID: storeID, Currency: currency, Data: d,
		}
		if t != domain.TypeOrderPlaced {
			e.ErrorID = orderID + "-case"
		}
		events = append(events, e)
	}
	const right, wrong = "BRK-0100-M", "BRK-0100-S"
	promise := domain.Promise{Until: start.Add(2 * time.Hour)}
	add(5*time.Minute, "placed", domain.TypeOrderPlaced, &domain.OrderPlaced{
		CustomerID: orderID + "-customer", Channel: "phone", PaymentFee: 3_430_000, Promise: promise,
		Lines: []domain.OrderLine{{
			LineID: "1", SKU: right, VendorID: "vendor-kestrel", Quantity: one, UnitPrice: 100 * one,
			Tax: 8 * one, UnitCost: domain.Some(60 * one),
		}},
	})
	add(2*time.Hour, "error", domain.TypeErrorReported, &domain.ErrorReported{
		Classification: domain.Classification{
			Kind: "wrong_item", RootCause: "supplier_quality", PartyAtFault: "supplier",
			VendorID: "vendor-kestrel", Severity: "major", Avoidable: domain.Yes,
		},
		Found: "after_delivery", DetectedBy: "customer",
		Lines: []domain.ErrorLine{{
			SKU: right, Quantity: one, UnitCost: domain.Some(60 * one),
			ReceivedSKU: wrong, ReceivedQuantity: domain.Some(one), ReceivedUnitCost: domain.Some(55 * one),
		}},
	})
	redelivery := orderID + "-truck"
	add(2*time.Hour+10*time.Minute, "dispatched", domain.TypeRedeliveryDispatched, &domain.RedeliveryDispatched{
		RedeliveryID: redelivery, Mode: "own_truck", Promise: domain.Promise{Until: start.Add(3 * time.Hour)},
		Lines: []domain.GoodsLine{{SKU: right, Quantity: one, UnitCost: domain.Some(60 * one)}},
	})
	add(2*time.Hour+55*time.Minute, "completed", domain.TypeRedeliveryCompleted, &domain.RedeliveryCompleted{
		RedeliveryID: redelivery, Vehicle: "truck-1", Succeeded: true, DriveMinutes: 30 * one, SiteMinutes: 15 * one,
		DistanceKM: 24 * one, Stops: 1,
	})
	add(3*time.Hour, "labour", domain.TypeLabourSpent, &domain.LabourSpent{
		LabourID: orderID + "-labour", Role: roleAgent, Minutes: 18 * one, Activity: "calls, and a truck found",
	})
	add(3*time.Hour+5*time.Minute, "voucher", domain.TypeConcessionGranted, &domain.ConcessionGranted{
		ConcessionID: orderID + "-voucher", Kind: "voucher", Amount: 10 * one, Expires: start.AddDate(1, 0, 0),
	})
	add(5*time.Hour, "return", domain.TypeReturnReceived, &domain.ReturnReceived{
		ReturnID: orderID + "-return", InspectRole: roleInspector, InspectMinutes: 6 * one,
		Lines: []domain.ReturnLine{{
			GoodsLine: domain.GoodsLine{SKU: wrong, Quantity: one, UnitCost: domain.Some(55 * one)},
			Was:       "wrong_item", Grade: "b_grade", NRV: domain.Some(45 * one),
		}},
	})
	add(50*time.Hour, "claim", domain.TypeClaimAccepted, &domain.ClaimAccepted{
		ClaimID: orderID + "-claim", Party: "supplier", PartyID: "vendor-kestrel", Amount: 25 * one,
	})
	return events
}

func truckRates(start time.Time, currency string) []domain.Event {
	rates := []struct {
		rate, key string
		value     domain.Decimal
	}{
		{domain.FleetHour, "*", fleetHour}, {domain.FleetKM, "*", fleetKM}, {domain.LabourHour, roleAgent, agentHour},
		{domain.LabourHour, roleInspector, inspectHour}, {domain.VoucherRedemption, "*", redeemedPart},
	}
	events := make([]domain.Event, 0, len(rates))
	for _, r := range rates {
		e := domain.Event{
			Source: "urn:simulator:rates", Type: domain.TypeRateSet, Time: start, Currency: currency,
			ID:   start.UTC().Format("20060102T150405.000000000-") + currency + "-" + r.rate + "-" + r.key,
			Data: &domain.RateSet{Rate: r.rate, Key: r.key, Value: r.value, EffectiveFrom: start},
		}
		if r.rate == domain.VoucherRedemption {
			e.Currency = "" // a fraction is the same in every currency
		}
		events = append(events, e)
	}
	return events
}
