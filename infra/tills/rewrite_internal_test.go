package tills

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/itchyny/gojq"
)

// TestRewrittenProgramsSayTheSame holds programs against gojq itself, wherever ours doesn't mean to differ.
func TestRewrittenProgramsSayTheSame(t *testing.T) {
	const document = `{"id": 7, "name": "x", "none": null, "yes": true, "list": [3, 1, 2], "lines": [
		{"sku": "b", "n": 2, "of": {"id": 1}}, {"sku": "a", "n": 5, "of": {"id": 2}}, {"sku": "b", "n": 1, "of": null}],
		"text": "one,two,,three", "nested": {"a": {"b": [1, {"c": "d"}]}}}`
	for _, program := range []string{
		".", ".id + 1, .id - 1, .id * 2, 8 / 2, .id % 4, -(.id)",
		".list + [4], .list - [1], .nested * {a: {x: 1}}, .name + \"y\"",
		"null + 1, 1 + null, {} + {a: 1}", ".id == 7, .id != 7, .list == [3, 1, 2], {a: 1} == {a: 1}, null == false",
		".id < 8, .id >= 7, \"a\" < \"b\", null < 1, [1] < [2], {} > []", `.text / ","`, "(1, 2) + (10, 20)",
		"[.list[] | . + 1]",
		".list |= sort", ".list[0] += 5", ".list[] -= 1", ".lines[].n *= 2", ".lines[0].n /= 2", ".id %= 4", ".none //= 3",
		".list[1] = 9", ".new.deep[2] = 1", "(.id, .name) = 0", ".lines |= map(.n)", "del(.list[0])",
		"del(.lines[].of, .id)",
		".lines[] |= (.sku += \"!\")", ".[\"a b\"] = 1", ".lines |= map(select(.n > 1))", "setpath([\"a\", 0]; (1, 2))",
		".lines | group_by(.sku) | map({sku: .[0].sku, n: map(.n) | add})",
		".lines | sort_by(.n, .sku) | map(.n)", ".lines | unique_by(.sku) | length", ".lines | min_by(.n), max_by(.n)",
		"[.lines[].sku] | unique, sort, reverse, join(\"-\")", ".list | min, max, add, length, first, last", "add(.list[])",
		"[.lines[] | .of.id // \"none\"]", "[.lines[].of | .id?]", "try error(\"x\") catch .", "[.[]?]", "..|numbers",
		".lines | INDEX(.sku) | keys", "INDEX(.lines[]; .n) | keys", ".id | IN(1, 7)", ".id | IN(.)",
		"[.list[] | IN(1, 2)]",
		".nested | tojson | fromjson", ".nested | tostring", "\"\\(.id) and \\(.name) and \\(.list)\"",
		"@json \"v=\\(.nested)\"",
		"@base64 \"\\(.name)\", (.name | @base64 | @base64d)", ".name | @uri, @html, @sh, @text",
		".list | @csv, @tsv, @json",
		".text | split(\",\"), test(\"two\"), sub(\"o\"; \"0\"), gsub(\"o\"; \"0\"), [scan(\"[a-z]+\")], [splits(\",\")]",
		".text | capture(\"(?<first>[a-z]+)\"), [match(\"o\"; \"g\").offset], index(\",\"), indices(\",\"), ascii_upcase",
		".list | contains([1]), ([1] | inside([1, 2]))", ".nested | contains({a: {b: [{c: \"d\"}]}})",
		"\"foobar\" | contains(\"bar\")",
		"to_entries | map(.key)", ".nested | with_entries(.key |= \"k\" + .)", "[paths] | length",
		"[.. | scalars] | length",
		"reduce .list[] as $x (0; . + $x)", "[foreach .list[] as $x (0; . + $x; [$x, .])]", "[limit(2; .list[])]",
		". as {id: $i, list: [$a, $b]} | [$i, $a, $b]", ". as [$a] ?// {id: $a} | $a", "def f(x): x + 1; f(.id)",
		"def f($x; g): $x + (g | length); f(.id; .list)", "label $out | .list[] | if . == 1 then break $out else . end",
		"if .yes then 1 elif .id == 7 then 2 else 3 end", ".list[1:], .list[:1], .list[-1]",
		".id as $x | [.list[] | . * $x]",
		".lines | map(.of.id) | map(select(. != null))", "[.list[] as $x | .list[] as $y | $x * $y] | add",
		"[range(3; 9; 2)]",
		".list | any(. == 1), all(. > 0), (map(. > 1) | any)", "first(.list[] | select(. > 1))",
		"[until(.id > 20; .id += 7) | .id]",
		"[.list[] | tostring], (\"12\" | tonumber)", "walk(if type == \"number\" then . + 1 else . end)",
		".list | flatten, implode?",
		"\"abc\" | explode, (explode | implode), length, ltrimstr(\"a\"), .[1:2]", ". * {nested: {a: 1}} | .nested",

		"1604000000 | todate", ".name |= (. + \"\\(1 + 1)\")", "{id, \"n\": .name, (.name): 1, \"k\\(.id)\": 2}",
		"[.id, .name][1]",
		"path(.lines[0].n), [path(..)] | length", "getpath([\"nested\", \"a\"])", ".lines[] | select(.n == (2, 5)) | .sku",
	} {
		var in any
		if err := json.Unmarshal([]byte(document), &in); err != nil {
			t.Fatal(err)
		}
		query, err := gojq.Parse(program)
		if err != nil {
			t.Fatalf("%s: %v", program, err)
		}
		want := results(query.Run(in))
		p, err := compile(source{text: program, line: 1}, nil)
		if err != nil {
			t.Errorf("%s: %v", program, err)
			continue
		}
		values, err := readJSON([]byte(document))
		if err != nil {
			t.Fatal(err)
		}
		m := &machine{budget: newBudget(context.Background(), len(document))}
		got, wrong := p.run(m, values[0], &input{})
		if wrong != nil {
			got = append(got, wrong)
		}
		if a, b := asJSON(t, got), asJSON(t, want); a != b {
			t.Errorf("%s\n got %s\nwant %s", program, a, b)
		}
	}
}

func results(out gojq.Iter) []any {
	var values []any
	for {
		v, more := out.Next()
		if !more {
			return values
		}
		values = append(values, v)
		if _, wrong := v.(error); wrong {
			return values
		}
	}
}

func asJSON(t *testing.T, values []any) string {
	t.Helper()
	for i, v := range values {
		if err, wrong := v.(error); wrong {
			values[i] = "error: " + err.Error()
		}
	}
	b, err := gojq.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
