package dashboards

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// chosen is what a person chose: the values of each variable. One that is missing or nil is All.
type chosen map[string][]string

var (
	reference = regexp.MustCompile(`\$\{(\w+):customqueryparam:(\w+)\}`)
	dayFilter = regexp.MustCompile(`\$__dateFilter\((\w+)\)`)
)

// expand puts variables and macros into a query. Variables are put in as @grafana/scenes does (formatRegistry.ts,
// customqueryparam; CustomAllValue), macros as version 4.20 of the ClickHouse plugin does (its pkg/macros).
func expand(query string, c chosen, from, to time.Time) string {
	query = reference.ReplaceAllStringFunc(query, func(m string) string {
		parts := reference.FindStringSubmatch(m)
		values := c[parts[1]]
		if values == nil {
			return "all" // the custom all value goes in as it is
		}
		var encoded []string
		for _, v := range values {
			encoded = append(encoded, parts[2]+"="+encodeURIComponentStrict(v))
		}
		return strings.Join(encoded, "&")
	})
	query = dayFilter.ReplaceAllString(query, fmt.Sprintf("${1} >= toDate('%s') AND ${1} <= toDate('%s')",
		from.Format(time.DateOnly), to.Format(time.DateOnly)))
	query = strings.ReplaceAll(query, "$__fromTime", fmt.Sprintf("toDateTime(%d)", from.Unix()))
	return strings.ReplaceAll(query, "$__toTime", fmt.Sprintf("toDateTime(%d)", to.Unix()))
}

// encodeURIComponentStrict is Grafana's: it leaves letters, digits and - _ . ~ as they are.
func encodeURIComponentStrict(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.~", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
