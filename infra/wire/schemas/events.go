package schemas

import "github.com/makegood/makegood/domain"

// ofOrder is the data of what belongs to an order.
func ofOrder(more ...property) object {
	return members(append([]property{must("order_id", id), must("store_id", id)}, more...)...)
}

// ofCase is the data of what is about a fix. A case that was found before there was any order has none, and its subject is
// the error_id; what has an order says which store's.
func ofCase(more ...property) object {
	o := members(append([]property{may("order_id", id), may("store_id", id), must("error_id", id)}, more...)...)
	return o.where(object{"if": isSaid("order_id"), "then": said("store_id")})
}

// ofOrderOrCase is the data of what is about a fix, where the sender need not know of which case.
func ofOrderOrCase(more ...property) object {
	o := members(append([]property{may("order_id", id), may("store_id", id), may("error_id", id)}, more...)...)
	return o.where(object{"if": isSaid("order_id"), "then": said("store_id"), "else": said("error_id")})
}

// moneyOfOrder is moneyOf, where the sender need not know of which case.
func moneyOfOrder(thing string, more ...property) object {
	return ofOrderOrCase(append([]property{must(thing, id), must("currency", currency), must("amount", amount)}, more...)...)
}

// moneyOf is the data of what one thing brought or cost.
func moneyOf(thing string, more ...property) object {
	return ofCase(append([]property{must(thing, id), must("currency", currency), must("amount", amount)}, more...)...)
}

var (
	promise    = members(may("from", moment), may("until", moment))
	goods      = members(must("sku", id), must("quantity", amount), may("unit_cost", unit))
	kinds      = words(domain.Kinds()...)
	rootCauses = words(domain.RootCauses()...)
	parties    = words(domain.Parties()...)
	changers   = words(domain.Changers()...)
	severities = words(domain.Severities()...)
	claimants  = words(domain.Claimants()...)
)

// hasCost is a list with a line that says what it cost.
var hasCost = object{"required": []string{"lines"}, "properties": object{"lines": object{"type": "array", "contains": object{"anyOf": []any{said("unit_cost"), said("received_unit_cost")}}}}}

// handledLetter says which dead letter, where the log last held it, who dealt with it and why. They post nothing.
var handledLetter = members(must("dead_letter_id", id), may("topic", id), may("partition", place), may("offset", place), must("actor", id), may("reason", text))

// place is a number of a partition, or an offset in it.
var place = object{"anyOf": []any{object{"type": "integer", "minimum": 0}, object{"type": "string", "pattern": "^[0-9]+$"}}}

// hasLines is a list of at least one line.
var hasLines = object{"required": []string{"lines"}, "properties": object{"lines": object{"type": "array", "minItems": 1}}}

// orderLine is a line of an order. That a discount is not above its line is beyond a schema.
var orderLine = members(must("line_id", id), must("sku", id), may("vendor_id", id),
	may("kind", described(words(domain.LineKinds()...), "Default goods.")),
	must("quantity", described(signed, "Below zero only of a deposit: empties brought back.")),
	must("unit_price", described(unit, "Net of tax.")), may("discount", described(amount, "Net, for the whole line.")),
	may("tax", described(signed, "For the whole line.")), may("unit_cost", unit),
	may("components", described(listOf(members(must("sku", id), must("quantity", amount))), "What is in one piece of a kit."))).
	where(
		object{"if": when("kind", domain.LineDeposit, object{})["if"], "else": object{
			"properties": object{"quantity": amount, "tax": may("", amount).schema}}},
		object{"if": object{"properties": object{"kind": object{"enum": []any{domain.LineGoods, nil}}}}, "else": object{
			"properties": object{"unit_cost": object{"type": "null"},
				"components": object{"type": []string{"array", "null"}, "maxItems": 0}}}},
	)

// removedLine names a line by its line_id, else by its sku.
var removedLine = members(may("line_id", id), may("sku", id), must("quantity", amount)).
	where(object{"anyOf": []any{said("line_id"), said("sku")}})

// events is the contract's list, by stream and row.
var events = map[string]object{
	"order.placed": ofOrder(may("customer_id", id), may("channel", text), may("employee_id", id),
		must("currency", currency), must("lines", some(orderLine)),
		may("delivery_fee", amount), may("delivery_tax", amount), may("payment_fee", amount),
		may("delivery_cost", described(amount, "What the carrier of the first delivery bills.")),
		may("commission", described(amount, "What a marketplace keeps.")),
		may("tenders", described(listOf(members(must("method", words(domain.TenderMethods()...)),
			must("amount", amount))), "How it was paid. They sum to the order's total, tax included, which is beyond a schema.")),
		may("promise", promise)),
	"order.promise_changed": ofOrder(must("promise", promise), must("agreed_with_customer", flag)),
	"order.delivered": ofOrder(may("delivered_at", described(moment, "Where it isn't the event's time.")),
		may("lines", listOf(members(must("sku", id), must("quantity", amount), may("condition", words(domain.Conditions()...))))), may("documents_ok", flag)),
	"order.cancelled": ofOrder(may("change_id", id), must("by", changers), may("reason", text), must("currency", currency),
		may("net", amount), may("tax", amount), may("cost", amount), may("lines", listOf(removedLine))).
		where(object{"anyOf": []any{said("net"), hasLines}}),
	"order.changed": ofOrder(may("change_id", id), must("by", changers), may("reason", text), must("currency", currency),
		may("lines_added", listOf(orderLine)), may("lines_removed", listOf(removedLine)), may("promise", promise)),
	"order.charged": ofOrder(must("charge_id", id),
		must("kind", words(domain.ChargeKinds()...)),
		must("currency", currency), must("amount", amount), may("credit", described(flag, "It is given back."))),
	"feedback.received": ofOrder(must("rating", object{"anyOf": []any{object{"type": "integer", "minimum": 1, "maximum": 5}, object{"type": "string", "pattern": "^[1-5]$"}}}),
		must("public", flag), may("channel", text), may("customer_id", id)),

	"error.reported": ofCase(must("kind", kinds), must("found", words(domain.FoundWhen()...)), must("detected_by", words(domain.Detectors()...)),
		may("party_at_fault", parties), may("vendor_id", id), may("employee_id", id), may("root_cause", rootCauses), may("avoidable", flag), may("severity", severities), may("currency", currency),
		may("lines", listOf(members(must("sku", id), must("quantity", amount), may("unit_cost", unit), may("received_sku", id), may("received_quantity", amount), may("received_unit_cost", unit))))).
		where(when("found", domain.FoundAfterDelivery, said("order_id")), object{"if": hasCost, "then": said("currency")}),
	"error.classified": ofCase(may("kind", kinds), may("root_cause", rootCauses), may("party_at_fault", parties), may("vendor_id", id), may("employee_id", id), may("avoidable", flag), may("severity", severities),
		may("same_as", described(id, "The error_id of another case, which this one is a part of."))),
	"error.rejected": ofCase(must("reason", said1)),
	"goods.scrapped": ofCase(may("scrap_id", id), must("currency", currency), may("reason", text), must("lines", some(goods))),

	"redelivery.dispatched": ofCase(must("redelivery_id", id), must("mode", words(domain.Modes()...)), must("currency", currency), must("lines", some(goods)),
		may("carrier_charge", amount), may("promise", promise)),
	"redelivery.completed": ofCase(must("redelivery_id", id), may("trip_id", id), must("succeeded", flag), must("currency", currency), may("vehicle", id), may("drive_minutes", amount), may("site_minutes", amount),
		may("wait_minutes", amount), may("distance_km", amount),
		may("stops", object{"description": "How many share the trip. Default 1.", "anyOf": []any{object{"type": "integer", "minimum": 1}, object{"type": "string", "pattern": "^[0-9]*[1-9][0-9]*$"}}}),
		may("carrier_charge", described(amount, "What was not charged at dispatch."))),
	"labour.spent": ofCase(must("labour_id", id), must("role", id), must("minutes", amount), may("activity", text), must("currency", currency)),
	"refund.issued": ofOrderOrCase(must("refund_id", id), must("currency", currency), must("net", amount), may("tax", amount),
		may("method", described(text, "gift_card and store_credit go where they say.")),
		may("fee_returned", described(amount, "The part of the payment fee that the processor gives back.")),
		may("replaces_goods", described(flag, "The customer gets the money in place of goods that are still owed."))),
	"concession.granted": ofCase(must("concession_id", id), must("kind", words(domain.ConcessionKinds()...)), must("currency", currency),
		must("amount", described(amount, "Net.")), may("tax", amount), may("expires", momentOrDate)),
	"voucher.redeemed": moneyOf("concession_id", may("redemption_id", id)),
	"voucher.expired":  moneyOf("concession_id", may("redemption_id", id)),
	"return.received": ofCase(must("return_id", id), must("currency", currency),
		must("lines", some(members(must("sku", id), must("quantity", amount), may("unit_cost", unit), must("was", words(domain.ReturnedAs()...)), must("grade", words(domain.Grades()...)),
			may("nrv", described(amount, "What the whole line still brings."))).where(when("grade", domain.GradeB, said("nrv"))))),
		may("freight_charge", amount), may("inspect_minutes", amount), may("inspect_role", id)),
	"salvage.sold":        moneyOf("salvage_id"),
	"dispute.opened":      moneyOfOrder("dispute_id", may("fee", amount)),
	"dispute.won":         moneyOfOrder("dispute_id", may("fee_returned", described(amount, "Of the dispute's fee."))),
	"dispute.lost":        moneyOfOrder("dispute_id", may("tax", described(amount, "The part of the amount that is sales tax."))),
	"marketplace.charged": moneyOf("charge_id", may("tax", described(amount, "Beside the amount, which is net."))),
	"claim.filed":         moneyOf("claim_id", must("party", claimants), may("party_id", id), may("lines", listOf(goods))),
	"claim.accepted":      moneyOf("claim_id", must("party", claimants), may("party_id", id)),
	"claim.settled":       moneyOf("claim_id", must("party", claimants), may("party_id", id), may("payment_id", id)),
	"claim.closed":        ofCase(must("claim_id", id), must("reason", words(domain.ClaimEnds()...))),

	"rate.set": members(must("rate", words(domain.SettableRates()...)), must("key", id), must("value", unit), may("currency", currency), must("effective_from", momentOrDate)).
		where(object{"if": object{"not": object{"properties": object{"rate": object{"const": domain.VoucherRedemption}}}}, "then": said("currency"),
			"else": object{"properties": object{"value": object{"anyOf": []any{object{"type": "number", "maximum": 1}, object{"type": "string", "pattern": `^(0+(\.[0-9]{1,6})?|0*1(\.0{1,6})?|[0-9.]+[eE][+-]?[0-9]+)$`}}}}}},
			// That key and currency differ is beyond a schema.
			when("rate", domain.ExchangeRate, object{"properties": object{"key": described(currency, "The currency that is translated into the other."),
				"value":          object{"anyOf": []any{object{"type": "number", "exclusiveMinimum": 0}, object{"type": "string", "pattern": `^[0.]*[1-9]`}}},
				"effective_from": described(object{"type": "string"}, "A date, or its midnight UTC: an exchange rate holds for whole days.")}})),
	"quality.spent":   members(must("spend_id", id), must("category", words(domain.QualityCategories()...)), may("store_id", id), may("target_cause", text), must("currency", currency), must("amount", amount), may("description", text)),
	"period.closed":   members(must("period", ref("period"))),
	"period.reopened": members(must("period", ref("period"))),
	"books.rebuilt":   members(must("rebuild_id", id), may("closed_periods", described(flag, "Months that are closed are posted anew as well."))),

	"fact.decided": members(must("source", ref("source")), must("id", id), may("order_id", id), may("error_id", id),
		may("counts", described(flag, "Whether it is this event that counts.")),
		may("separate", described(flag, "They are two facts, and both count.")), must("actor", id), must("reason", said1)).
		where(object{"if": when("separate", true, object{})["if"], "then": object{"properties": object{"counts": object{"type": "null"}}},
			"else": said("counts")}),

	"deadletter.replayed":  handledLetter,
	"deadletter.discarded": handledLetter,

	"event.voided": members(may("order_id", id), may("store_id", id), may("error_id", id), may("currency", text),
		must("voids", members(must("source", ref("source")), must("id", id))), must("reason", said1),
		must("original", object{"description": "The whole voided event, valid by the schema of its own type.", "type": "object", "required": []string{"specversion", "id", "source", "type", "time", "data"},
			"properties": object{"specversion": object{"const": "1.0"}, "id": id, "source": ref("source"), "time": moment, "data": object{"type": "object"},
				"type": object{"type": "string", "pattern": `^makegood\.[a-z_.]+\.v1$`}}})),
}
