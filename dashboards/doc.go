// Package dashboards holds what people look at and are woken by: Grafana dashboards, Prometheus rules and alerts,
// runbooks. It has no code of its own that runs in production; its tests hold these files against each other, against
// the metrics that makegood exposes, and, with the build tag monitoring, against a real Prometheus, a real engine and a
// real makegood. A running makegood pays for what its boards ask; the tests take half a minute without the tag.
package dashboards
