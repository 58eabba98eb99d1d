package main

func decision(at, source, id, what string) told {
	return told{kind: "fact.decided", at: at, data: `"source":"` + source + `","id":"` + id + `",` + what +
		`,"actor":"ann","reason":"asked the shop"`}
}

func unnamed(kind, at, more string) told { return told{kind: kind, at: at, data: onOrder + more} }

var (
	nothingWrong = told{kind: "error.rejected", at: "2026-01-17T09:00:00Z",
		data: `"order_id":"$o","store_id":"s1","error_id":"$e-r","reason":"mistaken"`}
	ofWhat = told{kind: "error.classified", at: "2026-01-17T09:00:00Z",
		data: `"order_id":"$o","store_id":"s1","error_id":"$e-r"`}
	unnamedRefund = unnamed("refund.issued", "2026-01-15T09:00:00Z", `,"refund_id":"$e-r","net":"100","tax":"8"`)
	thirty        = refunded("30", "0")
	forty         = told{kind: thirty.kind, at: "2026-01-15T09:05:00Z", source: "urn:hook",
		data: onCase + `,"refund_id":"$e-r","net":"40","tax":"0"`}
	twiceOpened = unnamed("dispute.opened", "2026-01-16T09:00:00Z", `,"dispute_id":"$e-q","amount":"108","fee":"15"`)
	reopen      = told{kind: twiceOpened.kind, at: "2026-01-18T09:00:00Z", source: "urn:bank", data: twiceOpened.data}
	isTwo       = decision("2026-01-19T09:00:00Z", "urn:bank", "$o-2", `"order_id":"$o","separate":true`)
)

func (e told) saying(more string) told {
	e.data += more
	return e
}

func (e told) when(at string) told {
	e.at = at
	return e
}

// decidedCases are rows of the contract in which people decide, or say later what money was for.
var decidedCases = []contractCase{
	{"a refund without error_id is said to be a missing item", []told{sold, unnamedRefund,
		ofWhat.saying(`,"kind":"missing_item"`)}, map[string]string{"net": "40", "2410": "0"}},
	{"a refund without error_id is rejected", []told{sold, unnamedRefund, nothingWrong},
		map[string]string{"net": "0", "unfounded": "100"}},
	{"a refund without error_id is the same as one of two cases", []told{sold, missed,
		reported("late", "after_delivery", "").again("2026-01-11T09:00:00Z"), unnamedRefund,
		ofWhat.saying(`,"same_as":"$e"`)}, map[string]string{"net": "40", "2410": "0"}},
	{"the first of two refunds tells of what was taken off", []told{soldTwice, changed("customer", oneOff), missed,
		refunded("100", "0"),
		refunded("100", "0").again("2026-01-16T09:00:00Z")}, map[string]string{"net": "100", "2410": "-60"}},
	{"the first of two refunds is of another case", []told{soldTwice, changed("customer", oneOff), missed,
		refunded("100", "0").when("2026-01-16T09:00:00Z"), refunded("100", "0").again("2026-01-15T09:00:00Z")},
		map[string]string{"net": "40", "2410": "0"}},
	{"decided for the second, then against it", []told{sold, thirty, forty,
		decision("2026-01-17T09:00:00Z", "urn:hook", "$o-2", `"counts":true`),
		decision("2026-01-18T09:00:00Z", "urn:hook", "$o-2", `"counts":false`)}, map[string]string{"net": "30"}},
	{"decided for the first, then for the second", []told{sold, thirty, forty,
		decision("2026-01-17T09:00:00Z", "urn:till:1", "$o-1", `"counts":true`),
		decision("2026-01-18T09:00:00Z", "urn:hook", "$o-2", `"counts":true`)}, map[string]string{"net": "40"}},
	{"opened twice, which is one", []told{sold, twiceOpened, reopen}, map[string]string{"net": "15", "1310": "108"}},
	{"opened twice, which are two", []told{sold, twiceOpened, reopen, isTwo},
		map[string]string{"net": "30", "1310": "216"}},
	{"won, and opened again", []told{sold, twiceOpened, reopen, isTwo, unnamed("dispute.won", "2026-01-17T09:00:00Z",
		`,"dispute_id":"$e-q","amount":"108","fee_returned":"5"`)}, map[string]string{"net": "25", "1310": "108"}},
}
