package tills

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/go-faster/jx"
)

// readJSON reads JSON values that stand one after the other: one in the body of a webhook, many in a file with one a
// line. Numbers keep their digits, see exactNumber.
func readJSON(body []byte) ([]any, error) { return readNumbers(body, nil) }

// readNumbers notes the floats.
func readNumbers(body []byte, noted floats) ([]any, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(body) {
		return nil, &failure{code: CodeBadBody, reason: "it is not UTF-8"}
	}
	quick := quickJSON{noted: noted}
	if values, ok := quick.read(body); ok {
		return values, nil
	}
	if quick.wrong != nil {
		return nil, quick.wrong
	}
	// What is wrong with it, and where, encoding/json says best.
	if err := nesting(body); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var values []any
	for {
		var v any
		if err := d.Decode(&v); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, jsonFault(err, body, d.InputOffset())
		}
		values = append(values, exact(v, noted))
	}
	if len(values) == 0 {
		return nil, &failure{code: CodeBadBody, reason: "it is empty"}
	}
	return values, nil
}

// quickJSON reads JSON in one pass, with github.com/go-faster/jx. encoding/json takes three, and they cost as much as
// all else that is done for a webhook. It gives up on what it doesn't take: broken JSON, and what is too deep or too
// large.
type quickJSON struct {
	d      jx.Decoder
	noted  floats
	values int // as nesting counts them
	wrong  *failure
}

func (q *quickJSON) read(body []byte) (values []any, ok bool) {
	q.d.ResetBytes(body)
	for {
		if q.d.Next() == jx.Invalid { // its end, or no JSON
			return values, len(values) > 0 && errors.Is(q.d.Skip(), io.EOF)
		}
		v, err := q.value(0)
		if err != nil {
			return nil, false
		}
		values = append(values, v)
	}
}

var errNotQuick = errors.New("it is too deep or too large")

func (q *quickJSON) value(depth int) (any, error) {
	if q.values++; q.values > maxValues {
		return nil, errNotQuick
	}
	switch q.d.Next() {
	case jx.String:
		return q.d.Str()
	case jx.Number:
		n, err := q.d.Num()
		if err != nil {
			return nil, err
		}
		q.noted.note(string(n))
		return exactNumber(string(n)), nil
	case jx.Null:
		return nil, q.d.Null()
	case jx.Bool:
		return q.d.Bool()
	case jx.Array, jx.Object:
		if q.values += objectValues; depth >= maxDepth {
			return nil, errNotQuick
		}
	}
	if q.d.Next() == jx.Array {
		list := []any{}
		err := q.d.Arr(func(*jx.Decoder) error {
			v, err := q.value(depth + 1)
			list = append(list, v)
			return err
		})
		return list, err
	}
	object := map[string]any{}
	err := q.d.Obj(func(_ *jx.Decoder, key string) error {
		v, err := q.value(depth + 1)
		if had, twice := object[key]; err == nil && twice && !reflect.DeepEqual(had, v) {
			q.wrong = &failure{code: CodeBadBody, reason: "an object has the name " + show(key) +
				" twice, with different values"}
			return errNotQuick
		}
		object[key] = v
		return err
	})
	return object, err
}

func jsonFault(err error, body []byte, offset int64) *failure {
	var wrong *json.SyntaxError
	at := offset
	if errors.As(err, &wrong) {
		at = offset + wrong.Offset - 1
	}
	at = min(max(at, 0), int64(len(body)))
	line := 1 + bytes.Count(body[:at], []byte("\n"))
	reason := err.Error()
	if errors.Is(err, io.ErrUnexpectedEOF) {
		reason, line = "the JSON ends too early", 1+bytes.Count(body, []byte("\n"))
	}
	return &failure{code: CodeBadBody, reason: fmt.Sprintf("it is not JSON, line %d: %s", line, reason)}
}

// nesting refuses what is nested deeper than any till nests, since programs walk through it recursively, and what has
// more values than memory should hold.
func nesting(body []byte) error {
	depth, quoted, values := 0, false, 1
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			values += objectValues
			if depth++; depth > maxDepth {
				return &failure{code: CodeTooDeep, reason: fmt.Sprintf("it is nested deeper than %d", maxDepth)}
			}
		case c == '}' || c == ']':
			depth--
		case c == ',':
			values++
		}
		if values > maxValues {
			return tooManyValues()
		}
	}
	return nil
}

// exact replaces the numbers of a value by what programs may have.
func exact(v any, noted floats) any {
	switch v := v.(type) {
	case json.Number:
		noted.note(string(v))
		return exactNumber(string(v))
	case []any:
		for i := range v {
			v[i] = exact(v[i], noted)
		}
	case map[string]any:
		for k, e := range v {
			v[k] = exact(e, noted)
		}
	}
	return v
}

// exactNumber is a whole number where a float would hold it exactly (2^53), so that nothing that reads JSON differs
// about it, and else the digits as they were written: a fraction, an exponent, a larger number are texts.
func exactNumber(digits string) any {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > 1<<53 || n < -1<<53 || digits == "-0" {
		return digits
	}
	return int(n)
}
