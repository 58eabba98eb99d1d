package grafana

// pipeline is what operators look at: whether events get into the books, how fast, and what didn't.
func pipeline() Board {
	quantiles := func(metric string) []Series {
		var all []Series
		for _, q := range []struct{ q, name string }{{"0.5", "half"}, {"0.99", "99 %"}} {
			all = append(all, Series{`histogram_quantile(` + q.q + `, sum by (le) (rate(` + metric + `_bucket[$__rate_interval])))`, q.name})
		}
		return all
	}
	return Board{
		UID: "makegood-pipeline", Title: "Pipeline", From: "now-1h", Refresh: "30s",
		Description: "Whether what was accepted is booked, how fast, and what could not be.",
		Variables:   []Variable{currencyVariable(), storeVariable()},
		Rows: []Row{
			{Height: 4, Panels: []Panel{
				{Kind: number, Title: "Targets up", Width: 4, Unit: "percentunit", Description: "Processes of makegood that Prometheus reaches ÷ those that it knows.",
					PromQL: []Series{{`avg(up{job="makegood"})`, ""}}},
				{Kind: number, Title: "Records waiting", Width: 4, Unit: "locale", Description: "Acknowledged and not booked yet, over all topics.",
					PromQL: []Series{{`sum(topic:makegood_lag_records:sum)`, ""}},
					Steps:  []Step{{10000, "orange", "it is more than a second of booking; the alert MakegoodLagGrowing fires where it also grows"}}},
				{Kind: number, Title: "Newest event", Width: 4, Unit: "s", Description: "How long ago the newest event arrived in the books. At night that may be long: only with records waiting it is a stall.",
					PromQL: []Series{{`time() - max(makegood_books_newest_event_timestamp_seconds)`, ""}}},
				{Kind: number, Title: "Open dead letters", Width: 4, Unit: "locale", Description: "Records that could not be booked and that nobody has dealt with.",
					PromQL: []Series{{`sum(reason:makegood_books_dead_letters:max)`, ""}},
					Steps:  []Step{{1, "orange", "each is money that isn't in the books"}}},
				{Kind: number, Title: "Unpriced", Width: 4, Unit: "locale", Description: "Events with a line that no rate could price: the leakage shown is too low by these.",
					PromQL: []Series{{`max(makegood_books_unpriced)`, ""}},
					Steps:  []Step{{1, "orange", "a rate is missing"}}},
				{Kind: number, Title: "Unbalanced", Width: 4, Unit: "locale", Description: "Events whose journal lines don't sum to zero.",
					PromQL: []Series{{`max(makegood_books_unbalanced_events)`, ""}},
					Steps:  []Step{{1, "red", "no report can be trusted until it is known why"}}},
			}},
			{Title: "In", Height: 8, Panels: []Panel{
				{Kind: timeSeries, Title: "Events at the gateways", Width: 12, Unit: "cps", Description: "Events that the brokers acknowledged, and events that broke the contract, each second.",
					PromQL: []Series{{`sum(rate(makegood_gateway_accepted_events_total[$__rate_interval]))`, "accepted"}, {`sum(rate(makegood_gateway_refused_events_total[$__rate_interval]))`, "refused"}}},
				{Kind: timeSeries, Title: "Requests turned away", Width: 6, Unit: "cps", Description: "Shed: no room for their bytes. Failed: the brokers didn't acknowledge. Both are told to come back; nothing is lost.",
					PromQL: []Series{{`sum(rate(makegood_gateway_shed_requests_total[$__rate_interval]))`, "shed"}, {`sum(rate(makegood_gateway_failed_requests_total[$__rate_interval]))`, "failed"}}},
				{Kind: timeSeries, Title: "Bytes in flight", Width: 6, Unit: "bytes", Description: "Bytes of requests that a gateway is working on. At its bound (64 MiB) it sheds.",
					PromQL: []Series{{`makegood_gateway_in_flight_bytes`, "{{instance}}"}}},
			}},
			{Title: "Booking", Height: 8, Panels: []Panel{
				{Kind: timeSeries, Title: "Records waiting, by topic", Width: 8, Unit: "locale", Description: "Acknowledged and not booked yet. A peak that goes down again is a burst.",
					PromQL: []Series{{`topic:makegood_lag_records:sum`, "{{topic}}"}}},
				{Kind: timeSeries, Title: "Rows booked", Width: 8, Unit: "cps", Description: "Rows written to the ledger each second, copies included, by process.",
					PromQL: []Series{{`sum by (instance) (rate(makegood_projector_rows_total[$__rate_interval]))`, "{{instance}}"}}},
				{Kind: timeSeries, Title: "Records of a batch", Width: 8, Unit: "locale", Description: "Batches grow under load and stay small without: half and nearly all of them are below these.",
					PromQL: quantiles("makegood_projector_batch_records")},
			}},
			{Height: 8, Panels: []Panel{
				{Kind: timeSeries, Title: "Time of a batch", Width: 8, Unit: "s", Description: "From the insert until it is booked and visible in every report, retries included.",
					PromQL: quantiles("makegood_projector_batch_seconds")},
				{Kind: timeSeries, Title: "Time of the insert", Width: 8, Unit: "s", Description: "The insert into the ledger alone. Slow here and nowhere else: ClickHouse or its disk.",
					PromQL: quantiles("makegood_projector_insert_seconds")},
				{Kind: timeSeries, Title: "Time of the roll-up", Width: 8, Unit: "s", Description: "Recomputing the cases that a batch touched. Grows with imports of old errors.",
					PromQL: quantiles("makegood_projector_rollup_seconds")},
			}},
			{Title: "What didn't get in", Height: 8, Panels: []Panel{
				{Kind: timeSeries, Title: "Open dead letters by reason", Width: 8, Unit: "locale", Description: "They stay open until somebody replays them or their sender corrects itself. none: there are none.",
					PromQL: []Series{{`reason:makegood_books_dead_letters:max`, "{{reason}}"}}},
				{Kind: timeSeries, Title: "Retries and waiting", Width: 8, Unit: "cps", Description: "Steps tried again each second, and 1 while a projector waits for ClickHouse or Kafka.",
					PromQL: []Series{{`sum(rate(makegood_projector_retries_total[$__rate_interval]))`, "retries"}, {`max(makegood_projector_waiting)`, "waiting"}}},
				{Kind: timeSeries, Title: "Memory", Width: 8, Unit: "bytes", Description: "Resident memory of each process; an embedded engine is a process of its own and not in it.",
					PromQL: []Series{{`process_resident_memory_bytes{job="makegood"}`, "{{instance}}"}}},
			}},
			{Title: "What it says about money, live", Height: 8, Panels: []Panel{
				{Kind: timeSeries, Title: "Net leakage of the running month, as monitored", Width: 12, Unit: "locale", Description: "As the alerts see it, by currency, never summed over currencies. Exact numbers are on Cost of quality service.",
					PromQL: []Series{{`period_currency:makegood_leakage_net_amount:sum{period="month"}`, "{{currency}}"}}},
				{Kind: table, Title: "What runs", Width: 12, Unit: "string", Description: "Version, revision and Go of each process. More than one version at once is an upgrade under way.",
					PromQL: []Series{{`makegood_build_info`, ""}}},
			}},
		},
	}
}
