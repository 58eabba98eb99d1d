package tills_test

import "testing"

const (
	accepted = `{"object":"TrackingDetail","status":"in_transit","datetime":"2026-01-02T08:00:00Z"}`
	arrived  = `{"object":"TrackingDetail","status":"delivered","datetime":"2026-01-03T15:33:00Z"}`
	broken   = `{"object":"TrackingDetail","status":"failure","status_detail":"damaged","datetime":"2026-01-03T09:00:00Z"}`
	back     = `{"object":"TrackingDetail","status":"return_to_sender","status_detail":"return",` +
		`"datetime":"2026-01-05T10:00:00Z"}`
	again = `{"object":"TrackingDetail","status":"delivered","datetime":"2026-01-09T10:00:00Z"}`

	deliveredLine = "order.delivered C1 at 2026-01-03T15:33:00Z id tracker/trk_1/delivered/2026-01-03T15:33:00Z"
	failedLine    = "error.reported C1 detected_by=carrier error_id=failure/trk_1 found=after_delivery " +
		"kind=not_delivered at 2026-01-03T09:00:00Z id tracker/failure/trk_1/2026-01-03T09:00:00Z"
	damagedLine = "error.classified C1 error_id=failure/trk_1 kind=damaged at 2026-01-03T09:00:00Z id " +
		"tracker/failure/trk_1/damaged/2026-01-03T09:00:00Z"
	backLine = "error.reported C1 detected_by=carrier error_id=after_delivery/trk_1 found=after_delivery " +
		"kind=not_delivered" +
		" at 2026-01-05T10:00:00Z id tracker/after_delivery/trk_1/2026-01-05T10:00:00Z"
	// What a delivery to the shop makes: it was no delivery to the customer.
	againVoided = "event.voided C1 [order.delivered C1 at 2026-01-09T10:00:00Z id tracker/trk_1/delivered/" +
		"2026-01-09T10:00:00Z] reason=the parcel was on its way back to the sender voids={\"id\":" +
		"\"tracker/trk_1/delivered/2026-01-09T10:00:00Z\",\"source\":\"//tills/easypost\"} at 2026-01-09T10:00:00Z id " +
		"tracker/trk_1/delivered/2026-01-09T10:00:00Z/returned"
)

func tracker(status, scans string) string {
	return `{"object":"Tracker","id":"trk_1","mode":"production","tracking_code":"C1","status":"` + status +
		`","created_at":` +
		`"2026-01-01T07:00:00Z","updated_at":"2026-01-04T00:00:00Z","est_delivery_date":"2026-01-03T00:00:00Z",` +
		`"shipment_id":null,"is_return":false,"tracking_details":[` + scans + `]}`
}

func trackerUpdated(status, scans string) string {
	return `{"object":"Event","id":"evt_1","description":"tracker.updated","mode":"production",` +
		`"created_at":"2026-01-04T00:00:00Z",` +
		`"previous_attributes":{"status":"unknown"},"result":` + tracker(status, scans) + `}`
}

func TestEasyPostTrackers(t *testing.T) {
	for _, g := range []given{
		{name: "in transit", body: trackerUpdated("in_transit", accepted)},
		{name: "delivered, at the time of the scan", body: trackerUpdated("delivered", accepted+","+arrived),
			want: []string{deliveredLine}},
		{name: "a bare tracker, the latest scan first", body: tracker("delivered", arrived+","+accepted),
			want: []string{deliveredLine}},
		{name: "scanned twice", body: tracker("delivered", accepted+","+arrived+","+again), want: []string{deliveredLine}},
		{name: "a list", body: `{"trackers":[` + tracker("delivered", arrived) + `],"has_more":true}`,
			want: []string{deliveredLine}},
		{name: "a page's example without an object", body: `{"tracking_code":"C1","status":"delivered",` +
			`"tracking_details":[` + arrived + `]}`,
			want: []string{with(t, deliveredLine, "trk_1", "C1")}},
		{name: "no scan says when", body: tracker("delivered", accepted),
			want: []string{"refused: tracker trk_1 is delivered, and no scan in tracking_details says when"}},
		{name: "damaged", body: tracker("failure", accepted+","+broken), want: []string{failedLine, damagedLine}},
		{name: "damaged, then sent back: one case", body: tracker("return_to_sender", accepted+","+broken+","+back),
			want: []string{failedLine, damagedLine}},
		{name: "sent back after it was delivered: a new case", body: tracker("return_to_sender", arrived+","+back),
			want: []string{deliveredLine, backLine}},
		{name: "sent back, and delivered to the shop", body: tracker("delivered", accepted+","+back+","+again),
			want: []string{againVoided, with(t, backLine, "error_id=after_delivery", "error_id=failure",
				"tracker/after_delivery", "tracker/failure")}},
		{name: "on its way back, nobody says when", body: tracker("delivered", arrived+","+with(t, back,
			`,"datetime":"2026-01-05T10:00:00Z"`, ``)),
			want: []string{"refused: a scan of tracker trk_1 says return_to_sender"}},
		{name: "of a shipment", body: with(t, tracker("delivered", arrived), `"shipment_id":null`, `"shipment_id":"shp_1"`),
			want: []string{"refused: tracker trk_1 only names its shipment shp_1"}},
		{name: "of a shipment that isn't looked at", settings: "order_in=tracker", body: with(t, tracker("delivered",
			arrived), `"shipment_id":null`, `"shipment_id":"shp_1"`), want: []string{deliveredLine}},
		{name: "sent back, no scan says when", body: tracker("return_to_sender", accepted),
			want: []string{"refused: tracker trk_1 is return_to_sender, and no scan"}},
		{name: "a return", body: with(t, tracker("delivered", arrived), `"is_return":false`, `"is_return":true`)},
		{name: "an estimate that the shop promises", settings: "estimate_is_promise=yes", body: tracker("in_transit",
			accepted), want: []string{
			`order.promise_changed C1 agreed_with_customer=true promise={"until":"2026-01-03T00:00:00Z"} at ` +
				`2026-01-01T07:00:00Z` +
				` id tracker/trk_1/promise/2026-01-03T00:00:00Z`}},
		{name: "no order's id, refused", settings: "without_order=refuse", body: tracker("delivered", arrived),
			want: []string{"refused: trk_1 has no order's id at reference"}},
		{name: "an event without its tracker", body: `{"object":"Event","id":"evt_1","description":"tracker.updated"}`,
			want: []string{"refused: event evt_1 doesn't hold its tracker"}},
		{name: "a list of something else", body: `{"insurances":[{"object":"Insurance","id":"ins_1"}],"has_more":false}`},
		{name: "an empty list", body: `{"trackers":[],"has_more":false}`},
		{name: "another event", body: `{"object":"Event","id":"evt_1","description":"batch.created"}`},
		{name: "nothing of EasyPost's", body: `{"id":"1"}`, want: []string{"refused: no kind of the mapping fits this body"}},
	} {
		g.try(t, "easypost")
	}
	t.Run("late and older deliveries change nothing", func(t *testing.T) {
		folds(t, "easypost", []string{trackerUpdated("in_transit", accepted), trackerUpdated("delivered",
			accepted+","+arrived),
			trackerUpdated("return_to_sender", accepted+","+arrived+","+back), tracker("in_transit", accepted+","+arrived)},
			deliveredLine, backLine)
	})
	t.Run("scans that come late", func(t *testing.T) {
		folds(t, "easypost", []string{tracker("delivered", accepted+","+again), tracker("delivered", back+","+again),
			tracker("delivered", broken+","+back+","+again)},
			with(t, deliveredLine, "2026-01-03T15:33:00Z", "2026-01-09T10:00:00Z", "2026-01-03T15:33:00Z",
				"2026-01-09T10:00:00Z"), againVoided, failedLine, damagedLine, with(t, backLine, "error_id=after_delivery",
				"error_id=failure", "tracker/after_delivery", "tracker/failure"))
	})
	t.Run("of one order by every route", func(t *testing.T) {
		shipment := `{"object":"Shipment","id":"shp_1","reference":"o1","tracking_code":"C1","fees":[],"tracker":` +
			with(t, tracker("delivered", arrived), `"shipment_id":null`, `"shipment_id":"shp_1"`) + `}`
		folds(t, "easypost", []string{shipment, `{"shipments":[` + shipment + `]}`}, with(t, deliveredLine, "C1", "o1"))
		given{name: "the tracker's own", settings: "order_in=tracker", body: shipment, want: []string{deliveredLine}}.try(t,
			"easypost")
	})
}

func TestEasyPostPostage(t *testing.T) {
	shipment := `{"object":"Shipment","id":"shp_1","reference":"o1","tracking_code":"C1","is_return":false,` +
		`"refund_status":"submitted",` +
		`"postage_label":{"created_at":"2026-01-01T07:00:00Z"},"selected_rate":{"currency":"USD","rate":"5.93"},"fees":[` +
		`{"object":"Fee","type":"LabelFee","amount":"0.00000","charged":true,"refunded":false},` +
		`{"object":"Fee","type":"PostageFee","amount":"5.93000","charged":true,"refunded":false},` +
		`{"object":"Fee","type":"InsuranceFee","amount":"1.00000","charged":true,"refunded":false}],"tracker":` +
		tracker("delivered", arrived) + `}`
	insurance := "order.charged o1 amount=1.0000 charge_id=shp_1/InsuranceFee currency=USD kind=other at " +
		"2026-01-01T07:00:00Z" +
		" id shipment/shp_1/InsuranceFee"
	postage := "order.charged o1 amount=5.9300 charge_id=shp_1/PostageFee currency=USD kind=delivery at " +
		"2026-01-01T07:00:00Z" +
		" id shipment/shp_1/PostageFee"
	delivered := with(t, deliveredLine, "C1", "o1")
	given{name: "bought", body: shipment, want: []string{insurance, postage, delivered}}.try(t, "easypost")
	given{name: "a fee of five decimals", settings: "postage=yes", body: with(t, shipment, "1.00000", "1.24995"),
		want: []string{with(t, insurance, "1.0000", "1.2500"), postage, delivered}}.try(t, "easypost")
	given{name: "the shop tells it", settings: "postage=no", body: shipment, want: []string{delivered}}.try(t, "easypost")
	given{name: "given back", body: with(t, shipment, `"submitted"`, `"refunded"`), want: []string{insurance, postage,
		with(t, postage, "PostageFee", "PostageFee/refunded credit=true", " id shipment/shp_1/PostageFee",
			" id shipment/shp_1/PostageFee/refunded",
			"credit=true currency", "credit=true currency"), delivered}}.try(t, "easypost")
	given{name: "of a return", body: with(t, shipment, `"is_return":false`, `"is_return":true`)}.try(t, "easypost")
	given{name: "asked back", body: `{"refunds":[{"object":"Refund","id":"rfnd_1","status":"submitted",` +
		`"shipment_id":"shp_1"}]}`}.try(t, "easypost")
	given{name: "came back, and nobody says how much", body: `[{"object":"Refund","id":"rfnd_1",` +
		`"status":"refunded","shipment_id":"shp_1"}]`,
		want: []string{"refused: refund rfnd_1 doesn't say how much: fetch its shipment, shp_1"}}.try(t, "easypost")
}

func ticket(status, more string) string {
	return `{"id":35436,"external_id":"1001","created_at":"2026-01-01T10:00:00Z",` +
		`"updated_at":"2026-01-02T11:00:00Z","type":null,` +
		`"status":"` + status + `","requester_id":377922500012,"tags":[],"custom_fields":[{"id":360005657120,` +
		`"value":null}]` + more + `}`
}

func TestZendesk(t *testing.T) {
	reported := "error.reported 1001 detected_by=customer error_id=zendesk/35436 found=after_delivery kind=unspecified" +
		" at 2026-01-01T10:00:00Z id ticket/35436"
	classified := "error.classified 1001 error_id=zendesk/35436 kind=wrong_item at 2026-01-02T11:00:00Z id " +
		"ticket/35436/kind/2026-01-02T11:00:00Z"
	labour := "labour.spent 1001 currency=USD error_id=zendesk/35436 labour_id=zendesk/35436 minutes=12.5000 role=agent" +
		" at 2026-01-02T11:00:00Z id ticket/35436/labour/closed"
	open := ticket("open", "")
	closed := with(t, ticket("closed", ""), "null}]", `"750"}]`)
	for _, g := range []given{
		{name: "a ticket", body: `{"ticket":` + open + `}`, want: []string{reported}},
		{name: "bare", body: open, want: []string{reported}},
		{name: "a list", body: `{"tickets":[` + open + `],"count":1}`, want: []string{reported}},
		{name: "found", body: `{"results":[` + with(t, open, `"id":35436`, `"result_type":"ticket","id":35436`) +
			`,{"result_type":"user","id":7}]}`,
			want: []string{reported}},
		{name: "an event", body: `{"type":"zen:event-type:ticket.status_changed","subject":"zen:ticket:35436","detail":` +
			with(t, open, "35436", `"35436"`, `"open"`, `"OPEN"`) + `,"event":{"current":"OPEN"}}`, want: []string{reported}},
		{name: "of no order", body: with(t, open, `"1001"`, `null`)},
		{name: "of an order in a field", settings: "order_path=custom_fields.360005657120", body: with(t, open, `"1001"`,
			`null`, "null}]", `1001}]`),
			want: []string{reported}},
		{name: "of a list of orders", settings: "order_path=custom_fields.360005657120", body: with(t, open, "null}]",
			`["1001","1002"]}]`),
			want: []string{"refused: custom_fields.360005657120 is no order's id"}},
		{name: "of an order in its subject", settings: `order_path=subject order_pattern=#(\d+)`,
			body: with(t, open, `"external_id":"1001"`, `"subject":"My order #1001 is wrong"`), want: []string{reported}},
		{name: "a tag says why", body: with(t, open, `"tags":[]`, `"tags":["vip","wrong_item"]`), want: []string{reported,
			classified}},
		{name: "a field says why", settings: "reason_path=custom_fields.360005657120", body: with(t, open, "null}]",
			`"wrong_size"}]`),
			want: []string{reported, classified}},
		{name: "a tag says that nobody knows", body: with(t, open, `"tags":[]`, `"tags":["unspecified"]`), want: []string{
			reported, with(t, classified, "wrong_item", "unspecified")}},
		{name: "a tag is taken away", body: `{"type":"zen:event-type:ticket.tags_changed","detail":` + open +
			`,"event":{"tags_added":[],"tags_removed":["wrong_item"]}}`, want: []string{reported, with(t, classified,
			"wrong_item", "unspecified")}},
		{name: "a tag that was no reason is taken away", body: `{"type":"zen:event-type:ticket.tags_changed","detail":` +
			open + `,"event":{"tags_added":[],"tags_removed":["vip"]}}`, want: []string{reported}},
		{name: "a question's tag is taken away", body: `{"type":"zen:event-type:ticket.tags_changed","detail":` + with(t,
			open, `"type":null`, `"type":"QUESTION"`) + `,"event":{"tags_removed":["wrong_item"]}}`, want: []string{reported,
			with(t, classified, "wrong_item", "unspecified")}},
		{name: "one of two reasons is taken away", body: `{"type":"zen:event-type:ticket.tags_changed","detail":` + with(t,
			open, `"tags":[]`, `"tags":["wrong_item"]`) + `,"event":{"tags_removed":["damaged"]}}`,
			want: []string{reported, classified}},
		{name: "a field is emptied", settings: "reason_path=custom_fields.360005657120",
			body: `{"type":"zen:event-type:ticket.custom_field_changed","detail":` + open +
				`,"event":{"current":null,"previous":"wrong_size","field":{"id":360005657120}}}`,
			want: []string{reported, with(t, classified, "wrong_item", "unspecified")}},
		{name: "a question", body: with(t, open, `"type":null`, `"type":"question"`)},
		{name: "no reason", settings: "without_reason=nothing", body: open},
		{name: "seconds", settings: "seconds_path=custom_fields.360005657120 currency=USD", body: closed,
			want: []string{reported, labour}},
		{name: "minutes", settings: "minutes_path=custom_fields.360005657120 currency=USD", body: with(t, closed, "750",
			"12.5"),
			want: []string{reported, with(t, labour, "12.5000", "12.5")}},
		{name: "minutes without a currency", settings: "minutes_path=custom_fields.360005657120", body: closed,
			want: []string{"refused: currency is missing"}},
		{name: "minutes may still come", settings: "seconds_path=custom_fields.360005657120 currency=USD", body: with(t,
			closed, "closed", "solved"),
			want: []string{reported}},
		{name: "nobody worked on it", settings: "seconds_path=custom_fields.360005657120 currency=USD", body: with(t,
			closed, `"750"`, `0`),
			want: []string{reported}},
		{name: "deleted", body: ticket("deleted", ""), want: []string{"event.voided 1001 [" + reported +
			`] reason=the ticket is deleted voids=` +
			`{"id":"ticket/35436","source":"//tills/zendesk"} at 2026-01-01T10:00:00Z id ticket/35436/deleted`}},
		{name: "waiting is no work", body: `{"ticket_metric":{"id":1,"ticket_id":35436,` +
			`"full_resolution_time_in_minutes":{"calendar":1440}}}`},
		{name: "comments", body: `{"comments":[{"id":2,"type":"Comment","created_at":"2026-01-01T10:00:00Z"}]}`},
		{name: "nothing of Zendesk's", body: `{"foo":1}`, want: []string{"refused: no kind of the mapping fits this body"}},
	} {
		g.try(t, "zendesk")
	}
}
