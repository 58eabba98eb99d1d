package tills

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// Request is what a sender is verified by.
type Request struct {
	URL     string            // as the sender called it, behind whatever proxy: some sign it
	Headers map[string]string // in whatever case
	Body    []byte            // as it came
}

// SignatureError says why a sender wasn't believed. It holds nothing of a secret, and nothing of what was sent.
type SignatureError struct{ Reason string }

func (e *SignatureError) Error() string { return "not signed by the till: " + e.Reason }

func unsigned(reason string) error { return &SignatureError{reason} }

// Scheme is the mapping's way of signing: none, token, basic, hmac, stripe, adyen, square or easypost.
func (m *Mapping) Scheme() string { return m.sign.Scheme }

// Verify holds a request against the secrets of its till, of which any one will do: so a secret can be changed while
// requests signed with the old one are still on their way. now is held against a timestamp that is signed, either way.
// Secrets are compared in constant time. It returns nil or a SignatureError.
func (m *Mapping) Verify(r Request, secrets []string, now time.Time) error {
	s := m.sign
	if s.Scheme == "none" {
		return nil
	}
	check := map[string]func(Request, string, time.Time) error{
		"token": s.token, "basic": s.basic, "hmac": s.hmac, "stripe": s.stripe, "adyen": s.adyen, "square": s.hmac,
		"easypost": s.easypost,
	}[s.Scheme]
	headers := make(map[string]string, len(r.Headers))
	for k, v := range r.Headers {
		headers[strings.ToLower(k)] = v
	}
	r.Headers = headers
	err := unsigned("the till has no secret")
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		if err = check(r, secret, now); err == nil {
			return nil
		}
	}
	return err
}

func (s *signature) token(r Request, secret string, _ time.Time) error {
	said := r.Headers[strings.ToLower(s.Header)]
	if s.Query != "" {
		at, err := url.Parse(r.URL)
		if err != nil {
			return unsigned("the URL can't be read")
		}
		said = at.Query().Get(s.Query)
	}
	said, is := strings.CutPrefix(said, s.Prefix)
	if !is || said == "" {
		return unsigned("there is no token")
	}
	return same(said, secret, "another token")
}

// same compares without telling by its time where two differ, or how long the secret is.
func same(said, secret, reason string) error {
	a, b := sha256.Sum256([]byte(said)), sha256.Sum256([]byte(secret))
	if !hmac.Equal(a[:], b[:]) {
		return unsigned(reason)
	}
	return nil
}

// basic wants RFC 7617's user:password, which is the secret.
func (s *signature) basic(r Request, secret string, _ time.Time) error {
	scheme, said, _ := strings.Cut(r.Headers["authorization"], " ")
	if !strings.EqualFold(scheme, "basic") {
		return unsigned("there is no user and password")
	}
	pair, err := base64.StdEncoding.DecodeString(strings.TrimSpace(said))
	if err != nil {
		return unsigned("the user and password can't be read")
	}
	return same(string(pair), secret, "another user or password")
}

var algorithms = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}

// hmac is RFC 2104 over the body, with what stands before it.
func (s *signature) hmac(r Request, secret string, now time.Time) error {
	said, is := strings.CutPrefix(r.Headers[strings.ToLower(s.Header)], s.Prefix)
	if !is || said == "" {
		return unsigned("there is no signature")
	}
	key, err := s.keyOf(secret)
	if err != nil {
		return err
	}
	before := ""
	switch s.Over {
	case "url+body":
		before = r.URL + s.Join
	case "timestamp+body":
		stamp := r.Headers[strings.ToLower(s.Timestamp)]
		if err := s.recent(stamp, now); err != nil {
			return err
		}
		before = stamp + s.Join
	}
	sum := hmac.New(algorithms[s.Algorithm], key)
	sum.Write([]byte(before))
	sum.Write(r.Body)
	return s.matches(said, sum.Sum(nil))
}

func (s *signature) matches(said string, right []byte) error {
	var got []byte
	var err error
	if s.Encoding == "base64" {
		got, err = base64.StdEncoding.DecodeString(said)
	} else {
		got, err = hex.DecodeString(said)
	}
	if err != nil {
		return unsigned("the signature is no " + s.Encoding)
	}
	if !hmac.Equal(got, right) {
		return unsigned("another signature")
	}
	return nil
}

func (s *signature) keyOf(secret string) ([]byte, error) {
	var key []byte
	var err error
	switch s.Key {
	case "hex":
		key, err = hex.DecodeString(secret)
	case "base64":
		key, err = base64.StdEncoding.DecodeString(secret)
	case "nfkd":
		key = norm.NFKD.Bytes([]byte(secret))
	default:
		key = []byte(secret)
	}
	if err != nil || len(key) == 0 {
		return nil, unsigned("the till's secret is no " + s.Key)
	}
	return key, nil
}

// maxStamp bounds a timestamp, in bytes.
const maxStamp = 64

// stampTime reads a timestamp: seconds or milliseconds since 1970, RFC 3339, or RFC 5322 (2822), as in the Date of a
// mail. It reports false where it is none of them.
func stampTime(stamp string) (time.Time, bool) {
	if len(stamp) > maxStamp {
		return time.Time{}, false
	}
	if n, err := strconv.ParseInt(stamp, 10, 64); err == nil {
		if n > 1e11 {
			return time.UnixMilli(n), true
		}
		return time.Unix(n, 0), n > 0
	}
	if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil {
		return at, true
	}
	at, err := mail.ParseDate(stamp)
	return at, err == nil
}

// recent wants a timestamp that isn't older, or newer, than the tolerance.
func (s *signature) recent(stamp string, now time.Time) error {
	at, is := stampTime(stamp)
	if !is {
		return unsigned("there is no timestamp")
	}
	switch age := now.Sub(at); {
	case age > s.Tolerance:
		return unsigned("the signature is older than " + s.Tolerance.String())
	case age < -s.Tolerance:
		return unsigned("the signature is of a time to come")
	}
	return nil
}

// The headers of EasyPost's newer signature.
const (
	easyPostSignature = "x-hmac-signature-v2"
	easyPostTimestamp = "x-timestamp"
	easyPostPath      = "x-path"
)

// easypost wants EasyPost's newer signature where the request has one: over timestamp, method, path and body, and of a
// timestamp within the tolerance
// (https://support.easypost.com/hc/en-us/articles/39826034964237-Webhook-HMAC-Validation). Else it wants the older one,
// over the body alone. A newer one that is wrong or old is refused, however right the older one beside it is.
func (s *signature) easypost(r Request, secret string, now time.Time) error {
	said := r.Headers[easyPostSignature]
	if said == "" {
		return s.hmac(r, secret, now)
	}
	stamp, path := r.Headers[easyPostTimestamp], r.Headers[easyPostPath]
	if path == "" {
		return unsigned("there is no path")
	}
	if err := s.recent(stamp, now); err != nil {
		return err
	}
	key, err := s.keyOf(secret)
	if err != nil {
		return err
	}
	sum := hmac.New(sha256.New, key)
	sum.Write([]byte(stamp + http.MethodPost + path))
	sum.Write(r.Body)
	return s.matches(strings.TrimPrefix(said, s.Prefix), sum.Sum(nil))
}

// maxSignatures bounds how many of them a header may have: while a secret is changed there are two.
const maxSignatures = 16

// stripe reads t=TIMESTAMP,v1=SIGNATURE,v1=… and wants one v1 to be right, over timestamp.body
// (https://docs.stripe.com/webhooks#verify-manually). Other schemes of the header (v0) count for nothing.
func (s *signature) stripe(r Request, secret string, now time.Time) error {
	stamp, signatures := "", []string{}
	for i, piece := range strings.Split(r.Headers[strings.ToLower(s.Header)], ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(piece), "=")
		switch {
		case i > maxSignatures:
			return unsigned("there are too many signatures")
		case name == "t" && stamp == "":
			stamp = value
		case name == "v1":
			signatures = append(signatures, value)
		}
	}
	if len(signatures) == 0 {
		return unsigned("there is no signature")
	}
	if err := s.recent(stamp, now); err != nil {
		return err
	}
	sum := hmac.New(sha256.New, []byte(secret))
	sum.Write([]byte(stamp + "."))
	sum.Write(r.Body)
	right := sum.Sum(nil)
	err := unsigned("there is no signature")
	for _, said := range signatures {
		if err = s.matches(said, right); err == nil {
			return nil
		}
	}
	return err
}

// adyen wants every item of a notification to be signed: HMAC-SHA256, base64, a key in hex, over some of its fields
// (https://docs.adyen.com/development-resources/webhooks/verify-hmac-signatures). What isn't among them (the date, the
// reason) anybody could have written, so a mapping should take no money from there.
func (s *signature) adyen(r Request, secret string, _ time.Time) error {
	key, err := s.keyOf(secret)
	if err != nil {
		return err
	}
	items, err := adyenItems(r.Body)
	if err != nil {
		return err
	}
	for _, item := range items {
		additional, _ := item["additionalData"].(map[string]any)
		said, _ := additional["hmacSignature"].(string)
		if said == "" {
			return unsigned("an item has no signature")
		}
		amount, _ := item["amount"].(map[string]any)
		fields := []string{
			word(item["pspReference"]), word(item["originalReference"]), word(item["merchantAccountCode"]),
			word(item["merchantReference"]), word(amount["value"]), word(amount["currency"]), word(item["eventCode"]),
			word(item["success"]),
		}
		right := func(fields []string) []byte {
			sum := hmac.New(sha256.New, key)
			sum.Write([]byte(strings.Join(fields, ":")))
			return sum.Sum(nil)
		}
		plain := !strings.ContainsAny(strings.Join(fields, ""), `:\`)
		if !plain && !readOneWay(fields) {
			return unsigned("an item has a colon where it may hide which fields are signed")
		}
		err := s.matches(said, right(fields))
		if err != nil && !plain {
			// Adyen's libraries sign what is in a field as it is, and its older documents with : and \ escaped.
			fields[adyenReference] = adyenEscapes.Replace(fields[adyenReference])
			err = s.matches(said, right(fields))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// adyenReference is which of the fields that Adyen signs is the merchantReference.
const adyenReference = 3

var (
	adyenEscapes = strings.NewReplacer(`\`, `\\`, ":", `\:`)
	// adyenEnd is what Adyen signs after the merchantReference: value, currency, eventCode and success.
	adyenEnd = regexp.MustCompile(`^-?[0-9]+:[A-Z]{3}:[A-Z_]+:(true|false)$`)
)

// readOneWay reports whether no other item has the same fields, once they are joined by colons. If any field but the
// merchantReference might have a colon, whoever has one signed item could make another one of it, in which a part of
// the reference is the value.
func readOneWay(fields []string) bool {
	for i, field := range fields {
		if i != adyenReference && strings.ContainsAny(field, `:\`) {
			return false
		}
	}
	return adyenEnd.MatchString(strings.Join(fields[adyenReference+1:], ":"))
}

func adyenItems(body []byte) ([]map[string]any, error) {
	values, err := readJSON(body)
	if err != nil || len(values) != 1 {
		return nil, unsigned("the body is no notification")
	}
	notification, _ := values[0].(map[string]any)
	list, _ := notification["notificationItems"].([]any)
	var items []map[string]any
	for _, one := range list {
		wrapped, _ := one.(map[string]any)
		item, is := wrapped["NotificationRequestItem"].(map[string]any)
		if !is {
			return nil, unsigned("an item is no notification")
		}
		items = append(items, item)
	}
	if len(items) == 0 {
		return nil, unsigned("the body is no notification")
	}
	return items, nil
}

// word is a field as Adyen signs it.
func word(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}
