// Package server is makegood as it serves: it joins the parts (log, ClickHouse, projector, gateway, page, metrics) as a
// Config says, and answers what the gateway asks of the books. Commands ask it over HTTP; those that are told no
// address start one for themselves.
//
// It promises that Close stops taking events in, lands what is held and stops the rest, in this order, and that an App
// whose start fails leaves nothing running. What it takes to start: the embedded engine answers after some 0.1 s, the
// broker when it has read its log.
package server
