package grafana

// pipeline is what operators look at: whether events get into the books, how fast, and what didn't.
func pipeline() Board {
	return Board{
		UID: "makegood-pipeline", Title: "Pipeline", From: "now-1h", Refresh: "30s",
		Description: "Whether what was accepted is booked, how fast, and what could not be.",
		Variables:   []Variable{carried(currencyVariable()), carried(storeVariable())},
		Rows: []Row{
			{Height: 4, Panels: pipelineNow()[:4]}, {Height: 4, Panels: pipelineNow()[4:]},
			{Title: "In", Height: 8, Panels: gatewayPanels()},
			{Title: "Booking", Height: 8, Panels: []Panel{
				overTime("Records waiting, by topic", 8, "locale",
					"Acknowledged and not booked yet. A peak that goes down again is a burst.",
					Series{`topic:makegood_lag_records:sum`, "{{topic}}"}),
				overTime("Rows booked", 8, "cps",
					"Rows written to the ledger each second, copies included, by process.",
					Series{`sum by (instance) (rate(makegood_projector_rows_total[$__rate_interval]))`, "{{instance}}"}),
				overTime("Records of a batch", 8, "locale",
					"Batches grow under load and stay small without: half and nearly all of them are below these.",
					quantiles("makegood_projector_batch_records")...),
			}},
			{Height: 8, Panels: []Panel{
				overTime("Time of a batch", 8, "s",
					"From the insert until it is booked and visible in every report, retries included.",
					quantiles("makegood_projector_batch_seconds")...),
				overTime("Time of the insert", 8, "s",
					"The insert into the ledger alone. Slow here and nowhere else: ClickHouse or its disk.",
					quantiles("makegood_projector_insert_seconds")...),
				overTime("Time of the roll-up", 8, "s",
					"Recomputing the cases that a batch concerns. Grows with imports of old errors.",
					quantiles("makegood_projector_rollup_seconds")...),
			}},
			{Title: "What didn't get in", Height: 8, Panels: []Panel{
				overTime("Open dead letters by reason", 8, "locale",
					"They stay open until somebody replays them or their sender corrects itself. none: there are none.",
					Series{`reason:makegood_books_dead_letters:max`, "{{reason}}"}),
				overTime("Retries and waiting", 8, "cps",
					"Steps tried again each second, and 1 while a projector waits for ClickHouse or Kafka.",
					Series{`sum(rate(makegood_projector_retries_total[$__rate_interval]))`, "retries"},
					Series{`max(makegood_projector_waiting)`, "waiting"}),
				overTime("Memory", 8, "bytes",
					"Resident memory of each process; an embedded engine is a process of its own and not in it.",
					Series{`process_resident_memory_bytes{job="makegood"}`, "{{instance}}"}),
			}},
			{Title: "What it says about money, live", Height: 8, Panels: []Panel{
				overTime("Net cost of the running month, as monitored", 12, "locale", "As the alerts see it, by currency, "+
					"never summed over currencies. Exact numbers are on Cost of quality service.",
					Series{`period_currency:makegood_leakage_net_amount:sum{period="month"}`, "{{currency}}"}),
				{Kind: table, Title: "What runs", Width: 12, Unit: "string",
					Description: "Version, revision and Go of each process. More than one version at once is an upgrade under way.",
					PromQL:      []Series{{`makegood_build_info`, ""}}},
			}},
		},
	}
}

func overTime(title string, width uint32, unit, description string, series ...Series) Panel {
	return Panel{Kind: timeSeries, Title: title, Width: width, Unit: unit, Description: description, PromQL: series}
}

func quantiles(metric string) []Series {
	var all []Series
	for _, q := range []struct{ q, name string }{{"0.5", "half"}, {"0.99", "99 %"}} {
		query := `histogram_quantile(` + q.q + `, sum by (le) (rate(` + metric + `_bucket[$__rate_interval])))`
		all = append(all, Series{query, q.name})
	}
	return all
}

func pipelineNow() []Panel {
	now := func(title, unit, description, query string, steps ...Step) Panel {
		return Panel{Kind: number, Title: title, Width: 6, Unit: unit, Description: description,
			PromQL: []Series{{query, ""}}, Steps: steps}
	}
	return []Panel{
		now("Targets up", "percentunit", "Processes of makegood that Prometheus reaches ÷ those that it knows.",
			`avg(up{job="makegood"})`),
		now("Records waiting", "locale", "Acknowledged and not booked yet, over all topics.",
			`sum(topic:makegood_lag_records:sum)`, Step{10000, "orange",
				"it is more than a second of booking; the alert MakegoodLagGrowing fires where it also grows"}),
		now("Newest event", "s", "How long ago the newest event arrived in the books. At night that may be long: only with "+
			"records waiting it is a stall.",
			`time() - max(makegood_books_newest_event_timestamp_seconds)`),
		now("Open dead letters", "locale", "Records that could not be booked and that nobody has dealt with.",
			`sum(reason:makegood_books_dead_letters:max)`, Step{1, "orange", "each is money that isn't in the books"}),
		now("Unpriced", "locale", "Events with a line that no rate could price: the leakage shown is too low by these.",
			`max(makegood_books_unpriced)`, Step{1, "orange", "a rate is missing"}),
		now("Waits for a decision", "locale", "Events that contradict other ones. They post nothing until a person decides.",
			`max(makegood_contradictions)`, Step{1, "orange", "each may be money that is missing from the books"}),
		now("Unbalanced", "locale", "Events whose journal lines don't sum to zero.",
			`max(makegood_books_unbalanced_events)`, Step{1, "red", "no report can be trusted until it is known why"}),
	}
}

func gatewayPanels() []Panel {
	return []Panel{
		overTime("Events at the gateways", 12, "cps",
			"Events that the brokers acknowledged, and events that broke the contract, each second.",
			Series{`sum(rate(makegood_gateway_accepted_events_total[$__rate_interval]))`, "accepted"},
			Series{`sum(rate(makegood_gateway_refused_events_total[$__rate_interval]))`, "refused"}),
		overTime("Requests turned away", 6, "cps", "Shed: no room for their bytes. Failed: the brokers didn't acknowledge. "+
			"Both are told to come back; nothing is lost.",
			Series{`sum(rate(makegood_gateway_shed_requests_total[$__rate_interval]))`, "shed"},
			Series{`sum(rate(makegood_gateway_failed_requests_total[$__rate_interval]))`, "failed"}),
		overTime("Bytes in flight", 6, "bytes",
			"Bytes of requests that a gateway is working on. At its bound (64 MiB) it sheds.",
			Series{`makegood_gateway_in_flight_bytes`, "{{instance}}"}),
	}
}

// carried is a variable that is only kept for the boards to which links lead.
func carried(v Variable) Variable {
	v.Hidden = true
	return v
}
