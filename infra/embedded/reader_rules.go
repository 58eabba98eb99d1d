package embedded

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// functionsText are the functions and table functions that a reader may call: those that make their value of their
// arguments, of the clock and of who asks. None reads a file, calls an address, takes a statement, looks into the
// engine or waits.
//
//go:embed engine/functions.txt
var functionsText string

// aggregatesText are the aggregate and window functions, each also with combinators.
//
//go:embed engine/aggregates.txt
var aggregatesText string

// combinators are what ClickHouse adds to the name of an aggregate function.
var combinators = []string{"if", "array", "map", "simplestate", "state", "merge", "foreach", "distinct", "ordefault",
	"ornull", "resample", "argmin", "argmax"}

// statements are the kinds of statement that a reader may send; each has all its parts in the tree.
var statements = nameSet("SelectWithUnionQuery DescribeQuery ExistsTableQuery ExistsViewQuery ShowCreateTableQuery " +
	"ShowCreateViewQuery")

// nodes are the parts that a statement may have. The tree shows all that is in them, except the settings in Set: the
// engine checks those against readerSettings. APPLY is not among them: the tree doesn't show its function.
var nodes = nameSet("ArrayJoin Asterisk ColumnsExceptTransformer ColumnsListMatcher ColumnsRegexpMatcher " +
	"ColumnsReplaceTransformer ColumnsReplaceTransformer::Replacement ColumnsTransformerList ExpressionList Function " +
	"Identifier InterpolateElement Literal OrderByElement QualifiedAsterisk QualifiedColumnsListMatcher " +
	"QualifiedColumnsRegexpMatcher SampleRatio SelectIntersectExceptQuery SelectQuery SelectWithUnionQuery Set Subquery " +
	"TableExpression TableIdentifier TableJoin TablesInSelectQuery TablesInSelectQueryElement WindowDefinition " +
	"WindowListElement WithElement")

// show is the whole text of a statement that lists databases or tables. WHERE and LIKE are not in it: the tree of SHOW
// doesn't show their condition.
var show = regexp.MustCompile("(?i)^\\s*SHOW\\s+(DATABASES|TABLES(\\s+(FROM|IN)\\s+(\\w+|`\\w+`|\"\\w+\"))?)" +
	`(\s+FORMAT\s+\w+)?\s*;?\s*$`)

func isShow(statement string) bool { return show.MatchString(statement) }

func nameSet(text string) map[string]bool {
	set := map[string]bool{}
	for name := range strings.FieldsSeq(text) {
		set[name] = true
	}
	return set
}

// statementRules say which statements a reader may send. Names of functions are in lower case: ClickHouse takes some in
// any.
type statementRules struct {
	functions, aggregates map[string]bool
	// others are functions, and otherTables table functions, that the engine has and a reader may not call.
	others, otherTables map[string]bool
}

// newStatementRules takes the names of all functions and all table functions that the engine has.
func newStatementRules(functions, tables []string) statementRules {
	r := statementRules{nameSet(strings.ToLower(functionsText)), nameSet(strings.ToLower(aggregatesText)),
		map[string]bool{}, map[string]bool{}}
	for others, names := range map[*map[string]bool][]string{&r.others: functions, &r.otherTables: tables} {
		for _, name := range names {
			if !r.mayCall(name) {
				(*others)[strings.ToLower(name)] = true
			}
		}
	}
	return r
}

// readRules asks an engine which functions it has.
func readRules(ctx context.Context, conn driver.Conn) (statementRules, error) {
	var functions, tables []string
	if err := errors.Join(
		conn.QueryRow(ctx, "SELECT groupArray(name) FROM system.functions").Scan(&functions),
		conn.QueryRow(ctx, "SELECT groupArray(name) FROM system.table_functions").Scan(&tables)); err != nil {
		return statementRules{}, fmt.Errorf("asking the engine for its functions: %w", err)
	}
	return newStatementRules(functions, tables), nil
}

func (r statementRules) mayCall(name string) bool {
	name = strings.ToLower(name)
	return r.functions[name] || anyBase(name, r.aggregates)
}

// isOther tells whether the engine has a function of this name that a reader may not call.
func (r statementRules) isOther(name string) bool {
	name = strings.ToLower(name)
	return r.otherTables[name] || anyBase(name, r.others)
}

// anyBase tells whether the name, or it without some combinators at its end, is in the set.
func anyBase(name string, set map[string]bool) bool {
	for !set[name] {
		base := name
		for _, c := range combinators {
			if b, is := strings.CutSuffix(name, c); is {
				base = b
				break
			}
		}
		if base == name {
			return false
		}
		name = base
	}
	return true
}

// lambdas are the names that a statement gives to functions of its own, as WITH x -> x + 1 AS f does.
func lambdas(lines []string) map[string]bool {
	names := map[string]bool{}
	for _, line := range lines {
		if alias, is := strings.CutPrefix(strings.TrimLeft(line, " "), "Function lambda (alias "); is {
			alias, _, _ = strings.Cut(alias, ")")
			names[alias] = true
		}
	}
	return names
}

// judge holds a statement's tree, as EXPLAIN AST writes it, against the rules: a line for each node, with its kind and
// then its name, indented by a space for each level. A name may hold line ends of the sender's. They add lines to the
// tree and take none away, and nothing that comes before a name is the sender's: so each line is judged by itself, and
// one too many only refuses.
func (r statementRules) judge(tree string) error {
	lines := strings.Split(strings.TrimSuffix(tree, "\n"), "\n")
	own := lambdas(lines)
	for i, line := range lines {
		kind, name, _ := strings.Cut(strings.TrimLeft(line, " "), " ")
		name, _, _ = strings.Cut(name, " (")
		switch {
		case i == 0 && (!statements[kind] || strings.HasPrefix(line, " ")):
			return notAllowed("only SELECT, SHOW, DESCRIBE and EXISTS are allowed here")
		case i == 0:
		case !nodes[kind]:
			return notAllowed("%.100q isn't allowed here", kind)
		case kind == "Function" && !r.mayCall(name) && (!own[name] || r.isOther(name)):
			return notAllowed("the function %.100q isn't allowed here", name)
		case kind == "Identifier" && r.others[strings.ToLower(name)]:
			// As an argument, as in arrayMap(file, …), it may be the function.
			return notAllowed("the name %.100q isn't allowed here: it is a function's", name)
		}
	}
	return nil
}
