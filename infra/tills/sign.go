package tills

import (
	"fmt"
	"regexp"
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
	Join      string        `yaml:"join"`
	Key       string        `yaml:"key"`
	Query     string        `yaml:"query"`
	Tolerance time.Duration `yaml:"tolerance"`
	Trial     string        `yaml:"trial"`
	line      int
}

// UnmarshalYAML keeps the line.
func (p *signaturePage) UnmarshalYAML(n *yaml.Node) error {
	type plainPage signaturePage
	if err := knownKeys(n, "scheme", "header", "algorithm", "encoding", "over", "timestamp", "prefix",
		"join", "key", "query", "tolerance", "trial"); err != nil {
		return err
	}
	p.line = n.Line
	return n.Decode((*plainPage)(p))
}

// schemes are those that there are.
var schemes = []string{"none", "token", "basic", "hmac", "stripe", "adyen", "square", "easypost"}

// signature is a signaturePage that was checked.
type signature struct {
	signaturePage
	trial *regexp.Regexp // of a whole body; nil: there is none
}

const defaultTolerance = 5 * time.Minute

func (p *signaturePage) signature() (*signature, error) {
	if p == nil {
		return &signature{signaturePage: signaturePage{Scheme: "none"}}, nil
	}
	s := &signature{signaturePage: *p}
	bad := func(format string, args ...any) (*signature, error) {
		return nil, &MappingError{Line: p.line, Reason: "sign: " + fmt.Sprintf(format, args...)}
	}
	if !slices.Contains(schemes, p.Scheme) {
		return bad("there is no scheme %q: %v", p.Scheme, schemes)
	}
	if reason := s.complete(); reason != "" {
		return bad("%s", reason)
	}
	if p.Trial != "" {
		var err error
		if s.trial, err = regexp.Compile(`\A(?:` + p.Trial + `)\z`); err != nil {
			return bad("trial: %v", err)
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

// choose takes the standard where nothing is said, and says whether there is such a word.
func choose(v *string, standard string, words ...string) bool {
	if *v == "" {
		*v = standard
	}
	return slices.Contains(words, *v)
}

// complete puts in what a scheme has by itself, and says what it lacks.
func (s *signature) complete() string {
	switch s.Scheme {
	case "token":
		if (s.Header == "") == (s.Query == "") {
			return "token needs the header, or the query parameter, that it is in"
		}
	case "stripe":
		choose(&s.Header, "Stripe-Signature")
		s.Encoding = "hex"
	case "adyen":
		s.Encoding, s.Key = "base64", "hex"
	case "square":
		choose(&s.Header, "X-Square-HmacSha256-Signature")
		s.Algorithm, s.Encoding, s.Over, s.Key = "sha256", "base64", "url+body", "text"
	case "easypost":
		choose(&s.Header, "X-Hmac-Signature")
		choose(&s.Prefix, "hmac-sha256-hex=")
		s.Algorithm, s.Encoding, s.Over, s.Key = "sha256", "hex", "body", "nfkd"
	case "hmac":
		switch {
		case s.Header == "":
			return "hmac needs the header that the signature is in"
		case !choose(&s.Algorithm, "sha256", "sha256", "sha1", "sha512"):
			return "there is no algorithm " + s.Algorithm + ": sha256, sha512, sha1"
		case !choose(&s.Encoding, "hex", "hex", "base64"):
			return "there is no encoding " + s.Encoding + ": hex, base64"
		case !choose(&s.Key, "text", "text", "nfkd", "hex", "base64"):
			return "there is no key " + s.Key + ": text, nfkd, hex, base64"
		case !choose(&s.Over, "body", "body", "url+body", "timestamp+body"):
			return "over is body, url+body or timestamp+body, not " + s.Over
		case (s.Over == "timestamp+body") != (s.Timestamp != ""):
			return "timestamp is the header that the timestamp is in, with over: timestamp+body"
		}
	}
	return ""
}
