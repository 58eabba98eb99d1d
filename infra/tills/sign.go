package tills

import (
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// signaturePage is who signs and how, as the YAML says it. The secret is none of it: it is the till's.
type signaturePage struct {
	Scheme    string        `yaml:"scheme"`
	Header    string        `yaml:"header"`
	Algorithm string        `yaml:"algorithm"`
	Encoding  string        `yaml:"encoding"`
	Over      string        `yaml:"over"`
	Timestamp string        `yaml:"timestamp"`
	Prefix    string        `yaml:"prefix"`
	Tolerance time.Duration `yaml:"tolerance"`
	line      int
}

// UnmarshalYAML keeps the line.
func (p *signaturePage) UnmarshalYAML(n *yaml.Node) error {
	type plainPage signaturePage
	if err := knownKeys(n, "scheme", "header", "algorithm", "encoding", "over", "timestamp", "prefix",
		"tolerance"); err != nil {
		return err
	}
	p.line = n.Line
	return n.Decode((*plainPage)(p))
}

// schemes are those that there are.
var schemes = []string{"none", "token", "basic", "hmac", "stripe", "adyen", "square"}

// signature is a signaturePage that was checked.
type signature struct{ signaturePage }

const defaultTolerance = 5 * time.Minute

func (p *signaturePage) signature() (*signature, error) {
	if p == nil {
		return &signature{signaturePage{Scheme: "none"}}, nil
	}
	s := &signature{*p}
	bad := func(format string, args ...any) (*signature, error) {
		return nil, &MappingError{Line: p.line, Reason: "sign: " + fmt.Sprintf(format, args...)}
	}
	choose := func(v *string, standard string, words ...string) bool {
		if *v == "" {
			*v = standard
		}
		return slices.Contains(words, *v)
	}
	if !slices.Contains(schemes, p.Scheme) {
		return bad("there is no scheme %q: %v", p.Scheme, schemes)
	}
	switch p.Scheme {
	case "hmac":
		switch {
		case p.Header == "":
			return bad("hmac needs the header that the signature is in")
		case !choose(&s.Algorithm, "sha256", "sha256", "sha1", "sha512"):
			return bad("there is no algorithm %q: sha256, sha512, sha1", p.Algorithm)
		case !choose(&s.Encoding, "hex", "hex", "base64"):
			return bad("there is no encoding %q: hex, base64", p.Encoding)
		case !choose(&s.Over, "body", "body", "url+body", "timestamp+body"):
			return bad("over is body, url+body or timestamp+body, not %q", p.Over)
		case (s.Over == "timestamp+body") != (p.Timestamp != ""):
			return bad("timestamp: is the header of the timestamp where that is signed: over: timestamp+body")
		}
	case "token":
		if p.Header == "" {
			return bad("token needs the header that it is in")
		}
	}
	if s.Tolerance == 0 {
		s.Tolerance = defaultTolerance
	}
	if s.Tolerance < 0 || s.Tolerance > 24*time.Hour {
		return bad("a tolerance is 1s to 24h, not %v", p.Tolerance)
	}
	return s, nil
}
