// Package trials makes companies whose truth is known, and holds the estimators against them: how often an interval
// covers what was planted, how often something is claimed that isn't there, how soon a change is found. It makes the
// strata and counts that the estimators read, not events: a thousand companies take seconds. The events of such a
// company are made by domain/simulator.
//
// Everything random comes from a seed. Each trial prints what it planted, what it measured and what is wanted.
package trials
