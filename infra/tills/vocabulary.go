package tills

import "strings"

// What of gojq's own functions a program may call, and how: those that walk through a whole value, or make one larger
// than what they get, are preceded by what charges for it (see budget). All others are refused by name. So a later
// gojq can't give programs more than this list.
const (
	asIs       = iota // takes what gojq's machine counts, or no more than it gets
	measured          // as long as its text, or as many as its members
	walked            // walks through all of its input
	overText          // of texts: its time may grow with the square of the text, which is therefore bounded
	decimalAdd        // add: walks, and hints at decimals that would be joined as texts
)

// vocabulary says of each function how it is called.
var vocabulary = func() map[string]int {
	names := map[string]int{}
	for how, list := range map[int]string{
		asIs: `empty not path has in type getpath map map_values select recurse from_entries while until repeat
			range arrays objects iterables booleans numbers strings nulls values scalars first last isempty
			all any limit skip nth paths abs walk`,
		measured: `length utf8bytelength keys startswith endswith ltrimstr rtrimstr trimstr ltrim rtrim trim
			ascii_downcase ascii_upcase to_entries with_entries toboolean`,
		walked: `tojson explode implode flatten min max min_by max_by sort sort_by group_by unique unique_by
			reverse join del setpath error`,
		overText:   `split splits sub gsub test match capture scan index rindex indices`,
		decimalAdd: `add`,
	} {
		for _, name := range strings.Fields(list) {
			names[name] = how
		}
	}
	return names
}()

// replaced are functions of gojq that programs call by its name, and get ours.
var replaced = map[string]string{
	"tostring": "text", "tonumber": "tonumber", "fromjson": "fromjson", "todate": "unix_time", "contains": "contains",
	"inside": "inside", "IN": "in_values", "INDEX": "by_key",
}

// refusedFor says why a function of gojq's is none of ours, and what to write in its place.
func refusedFor(name string) (reason, hint string) {
	switch name {
	case "input", "inputs", "input_line_number", "input_filename", "debug", "stderr", "env", "$ENV", "halt", "halt_error",
		"modulemeta", "get_search_list", "builtins", "$__prog_args":
		return name + " reaches out of the program", "a program sees ., $till, $headers, $kind, $envelope, $received"
	case "now", "localtime", "strflocaltime":
		return name + " asks a clock, so that the same body would give other events tomorrow",
			"times come from the body; $received is when it came"
	case "gmtime", "mktime", "strptime", "strftime", "fromdate", "dateadd", "datesub", "date", "fromdateiso8601",
		"todateiso8601":
		return name + " counts in floats", "use in_zone(zone), parse_time(form; zone), unix_time, unix_millis or utc"
	case "floor", "round", "ceil", "trunc", "sqrt", "pow", "log", "fabs", "infinite", "nan", "fmod":
		return name + " counts in floats", "use dround, dmul, ddiv, dabs"
	}
	if near := nearest(name, knownNames()); near != "" {
		return "there is no function " + name, "do you mean " + near + "?"
	}
	return "there is no function " + name, "the functions are in the documentation of package infra/tills"
}

func knownNames() []string {
	var names []string
	for n := range vocabulary {
		names = append(names, n)
	}
	for n := range replaced {
		names = append(names, n)
	}
	for _, f := range functions() {
		names = append(names, f.name)
	}
	return names
}

// nearest is the name that differs least from what was written, "" where none is near.
func nearest(name string, names []string) string {
	best, at := "", 2+len(name)/4
	for _, n := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(n)); d < at || d == at && best != "" && n < best {
			best, at = n, d
		}
	}
	return best
}

// distance is Levenshtein's: how many letters are put in, left out or other.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			other := diagonal
			if a[i] != b[j] {
				other++
			}
			diagonal = row[j+1]
			row[j+1] = min(other, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
