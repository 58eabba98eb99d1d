package tills_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/infra/tills"
)

// mappingOf is a mapping with one program.
func mappingOf(t testing.TB, program string) (*tills.Mapping, error) {
	t.Helper()
	page := "name: x\nkinds:\n  - kind: all\n    when: \"true\"\n    events: |\n"
	for line := range strings.Lines(program) {
		page += "      " + line
	}
	return tills.Parse("x.yaml", []byte(page+"\n"))
}

// TestProgramsReachNothing: what would ask an environment, a clock, a file or another input is refused when it is read.
func TestProgramsReachNothing(t *testing.T) {
	for _, program := range []string{
		"env", "$ENV", "$ENV.PATH", "{$ENV}", "env.PATH", "input", "[inputs]", "debug", `debug("x")`, "stderr", "now", "halt",
		"halt_error", `import "a" as a; a::b`, `include "a"; b`, "input_filename", "modulemeta", "get_search_list",
		"builtins", "$__prog_args", "localtime", "_mg_plus(1; 2)", "$_mg_machine", "{$_mg_machine}", `"\($ENV)"`,
		`"\(env)"`, `.a[env.x]`, `. as {a: $b, (env.x): $c} | $b`, "def f: env; f", "reduce env as $x (1; .)",
		"try env catch .", "if env then 1 else 2 end", "@base64 \"\\(env)\"", "def map(f): f; map(.)",
		"1.5", "1e3", ".a * 0.19", "sqrt", "pow(2; 3)", "infinite", "nan", "floor", "strftime(\"%Y\")", "$nothing", "nothing",
		"_add(1; 2)", "_multiply(1; 2)", "_modify(.a; 1)", "_sort_by(.a)", "transpose", "combinations", "tojson | _match",
		".. |= getpath(env.x)", "limit(3; now)", "label $out | env", "foreach env as $x (0; 1)", "(env)", "-env",
		".[env:]", "test(.x)", "test(.a + .b)", "gsub(\"\\(.x)\"; \"\")", "split(.a; null)",
	} {
		if _, err := mappingOf(t, program); err == nil {
			t.Errorf("%s was accepted", program)
		} else if !strings.Contains(err.Error(), "line ") {
			t.Errorf("%s: no line in %v", program, err)
		}
	}
}

// TestProgramsEnd: a program that doesn't end, or fills the memory, is refused in bounded time and memory.
func TestProgramsEnd(t *testing.T) {
	for _, program := range []string{
		"repeat(1)", "[repeat(1)]", "[range(1000000000)]", "last(range(1000000000))", "def f: f; f", "def f: [f]; f",
		"def f: 1 + f; f",
		`"x" * 1000000000`, `[0] | until(false; . + .)`, `"x" | until(false; . + .)`, `{a: 1} | until(false; {a: ., b: .})`,
		`reduce range(60) as $i ([1]; [., .]) | tojson`, `reduce range(60) as $i ([1]; [., .]) == 1`,
		`reduce range(60) as $i ([1]; [., .]) | flatten`, `reduce range(60) as $i ([1]; [., .]) | {type: .}`,
		`reduce range(60) as $i ([1]; [., .]) | [.. | 1] | length`, `reduce range(60) as $i ([1]; [., .]) | sort`,
		`reduce range(60) as $i ([1]; [., .]) | contains([[1]])`, `reduce range(60) as $i ([1]; [., .]) | "\(.)"`,
		`reduce range(60) as $i ([1]; [., .]) | error`, `error(reduce range(60) as $i ([1]; [., .]))`,
		`[1, 2] | sort_by(reduce range(60) as $i ([1]; [., .]))`, `[1, 2] | group_by(reduce range(60) as $i ([1]; [., .]))`,
		`reduce range(60) as $i ([1]; [., .]) | unique`, `[reduce range(60) as $i ([1]; [., .])] | group_by(.)`,
		`reduce range(100000) as $i (1; [.]) | tojson`, `reduce range(100000) as $i (1; {a: .}) | {type: .}`,
		`reduce range(40) as $i ("x"; "\(.)\(.)")`, `def f: "\(.)\(.)" | f; "x" | f`,
		`reduce range(60) as $i (3; . * .)`, `reduce range(1000000) as $i ([]; .[$i] = 1)`,
		`reduce range(1000000) as $i ({}; .["\($i)"] = 1)`, `reduce range(1000000) as $i ([]; . += [1])`,
		`[range(100000)] | . - [range(100000; 200000)]`, `[range(100000) | [.]] | contains([range(100000) | [.]])`,
		`[limit(100000000; repeat("x"))] | join("")`, `.[1000000000] = 1`, `[1] | .[536870911] = 1`,
		`[1] | .[3000000] = 1`, `setpath([536870911]; 1)`, `.a[536870911] |= 1`, `.a[536870911] += 1`, `.[536870911] //= 1`,
		`try repeat(1) catch 1`, `(repeat(1))?`, `first(repeat(1) | select(. == 2)) // 3`, `path(repeat(.))`,
		`[paths] | until(false; . + .)`, `"x" | until(false; . + .) | test("x")`,
		`[range(100000) | "a"] | join("") | gsub("a"; "bb")`,
		`[recurse(.)]`, `[recurse([., .])]`, `"a" | [while(true; . + "a")]`, `until(false; .)`, `walk(repeat(.))`,
		`[range(200000)] | [.[] as $x | .[] as $y | 1] | length`, `foreach repeat(1) as $x (0; . + 1)`,
		`"aa" | until(length > 100000; . + .) | [splits("")] | length`, `[range(1000)] | combinations`,
	} {
		m, err := mappingOf(t, program)
		if err != nil {
			continue // refused when it is read
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		began := time.Now()
		got := m.Map(context.Background(), tills.Till{Name: "x"}, tills.Input{Body: []byte("null")})
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		if len(got.Events) > 0 || len(got.Refusals) == 0 {
			t.Errorf("%s: %d events, %v", program, len(got.Events), got.Refusals)
		}
		if made := int64(after.Sys) - int64(before.Sys); took > 10*time.Second || made > 600<<20 { // it may shrink
			t.Errorf("%s took %v and %d MiB: %v", program, took, made>>20, got.Refusals)
		}
	}
}
