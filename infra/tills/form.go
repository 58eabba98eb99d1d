package tills

import (
	"bytes"
	"fmt"
	"net/url"
)

const maxPairs = 10_000

// readForm reads application/x-www-form-urlencoded: an object of texts, a list where a name is there more than once.
func readForm(body []byte) (any, error) {
	if n := bytes.Count(body, []byte("&")); n >= maxPairs {
		return nil, &failure{code: CodeTooMuch, reason: fmt.Sprintf("a form has at most %d members", maxPairs)}
	}
	pairs, err := url.ParseQuery(string(bytes.TrimSpace(body)))
	if err != nil {
		return nil, &failure{code: CodeBadBody, reason: "it is no form: " + err.Error()}
	}
	if len(pairs) == 0 {
		return nil, &failure{code: CodeBadBody, reason: "it is empty"}
	}
	members := make(map[string]any, len(pairs))
	for name, values := range pairs {
		for _, v := range values {
			add(members, name, v)
		}
	}
	return members, nil
}
