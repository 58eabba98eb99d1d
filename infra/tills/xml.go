package tills

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxValues bounds what is read of one document: members, elements, cells. An object takes as much memory as some
// objectValues others.
const (
	maxValues    = 2_000_000
	objectValues = 4
)

// element is one that is being read.
type element struct {
	name    string
	members map[string]any
	text    []byte
}

// readXML reads an element as an object: @NAME for each attribute, NAME for each child (a list where there are several
// of one name), #text for the text beside them. An element that has only text is that text, and an empty one is null.
// Namespaces are left out. There are no entities but XML's own five: a document type, which could define others, is
// refused.
func readXML(body []byte) (any, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = charset
	bad := func(format string, args ...any) error {
		line, _ := d.InputPos()
		where := fmt.Sprintf("it is no XML, line %d: ", line)
		return &failure{code: CodeBadBody, reason: where + fmt.Sprintf(format, args...)}
	}
	open := []*element{{members: map[string]any{}}}
	for values := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, bad("%s", strings.TrimPrefix(err.Error(), "XML syntax error on "))
		}
		top := open[len(open)-1]
		switch t := token.(type) {
		case xml.Directive:
			return nil, bad("a document type is none of what tills send")
		case xml.StartElement:
			if len(open) > maxDepth {
				return nil, &failure{code: CodeTooDeep, reason: fmt.Sprintf("it is nested deeper than %d", maxDepth)}
			}
			if values += objectValues + len(t.Attr); values > maxValues {
				return nil, tooManyValues()
			}
			open = append(open, begun(t))
		case xml.EndElement:
			open = open[:len(open)-1]
			add(open[len(open)-1].members, top.name, top.value())
		case xml.CharData:
			if len(open) > 1 {
				top.text = append(top.text, t...)
			} else if len(bytes.TrimSpace(t)) > 0 {
				return nil, bad("there is text outside the first element")
			}
		}
	}
	if len(open) != 1 || len(open[0].members) != 1 {
		return nil, bad("there is not one element that holds all others")
	}
	return open[0].members, nil
}

func tooManyValues() *failure {
	return &failure{code: CodeTooMuch, reason: fmt.Sprintf("it has more than %d values", maxValues),
		hint: "send it in parts"}
}

func begun(t xml.StartElement) *element {
	e := &element{name: t.Name.Local}
	for _, a := range t.Attr {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		if e.members == nil {
			e.members = map[string]any{}
		}
		add(e.members, "@"+a.Name.Local, a.Value)
	}
	if e.members == nil {
		e.members = map[string]any{}
	}
	return e
}

func (e *element) value() any {
	text := string(bytes.TrimSpace(e.text))
	switch {
	case len(e.members) == 0 && text == "":
		return nil
	case len(e.members) == 0:
		return text
	case text != "":
		e.members["#text"] = text
	}
	return e.members
}

// add puts a value beside others of its name. A list that is in there was made here: an element is never one.
func add(members map[string]any, name string, v any) {
	had, there := members[name]
	switch list, is := had.([]any); {
	case !there:
		members[name] = v
	case is:
		members[name] = append(list, v)
	default:
		members[name] = []any{had, v}
	}
}

// charset reads what isn't UTF-8 as the document says.
func charset(label string, in io.Reader) (io.Reader, error) {
	e, err := encodingOf(label)
	if err != nil {
		return nil, fmt.Errorf("there is no encoding %q", label)
	}
	return e.NewDecoder().Reader(in), nil
}
