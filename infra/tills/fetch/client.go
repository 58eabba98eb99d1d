package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Config is what a Client needs. Zero values are the defaults.
type Config struct {
	Hosts []string // that may be asked: names in small letters, without a port
	// Auth is how the key goes along: bearer, basic (Key is user:password), header (in Header). Empty or none: not at all.
	Auth, Header, Key string
	Headers           map[string]string

	MaxBody int64         // of an answer, in bytes; 16 MiB
	Tries   uint          // of one page; 6
	Timeout time.Duration // of one try; 30 s
	Wait    time.Duration // after the first failure, then growing; 500 ms
	Longest time.Duration // that one wait may take; 5 min

	// Loopback lets tests ask this machine, without TLS and at any port. Roots are the authorities of its certificates.
	Loopback bool
	Roots    *x509.CertPool
}

// Client asks one API.
type Client struct {
	config Config
	http   *http.Client
}

// Answer is a page as it came.
type Answer struct {
	URL    string
	Header http.Header
	Body   []byte
}

var (
	// ErrNotAllowed says that an address is none that may be asked.
	ErrNotAllowed = errors.New("may not be asked")
	// ErrTooLarge says that an answer has more than MaxBody bytes.
	ErrTooLarge = errors.New("the answer is too large")
)

// StatusError is an answer that is final, or the last that was tried. It holds neither key nor query.
type StatusError struct {
	Place  string // host and path
	Status int
	After  time.Duration // that the API asks to wait; 0 where it doesn't
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("%s answers %d %s", e.Place, e.Status, http.StatusText(e.Status))
	if e.After > 0 {
		s += fmt.Sprintf(", and asks to wait %v", e.After)
	}
	return s
}

// Again says whether the same request may be answered later.
func (e *StatusError) Again() bool {
	return e.Status >= 500 && e.Status != http.StatusNotImplemented ||
		slices.Contains([]int{http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests}, e.Status)
}

// maxRedirects on one host.
const maxRedirects = 3

// New makes a client.
func New(c Config) (*Client, error) {
	if len(c.Hosts) == 0 {
		return nil, errors.New("no host is named that may be asked")
	}
	if !slices.Contains([]string{"", "none", "bearer", "basic", "header"}, c.Auth) {
		return nil, fmt.Errorf("there is no way %q to send a key", c.Auth)
	}
	if c.Auth != "" && c.Auth != "none" && c.Key == "" {
		return nil, errors.New("the API wants a key")
	}
	if c.Auth == "basic" && !strings.Contains(c.Key, ":") {
		c.Key += ":" // the key is the user, as with Stripe and EasyPost
	}
	c.MaxBody, c.Tries = or(c.MaxBody, 16<<20), or(c.Tries, 6)
	c.Timeout, c.Wait, c.Longest = or(c.Timeout, 30*time.Second), or(c.Wait, 500*time.Millisecond), or(c.Longest,
		5*time.Minute)
	client := &Client{config: c}
	client.http = &http.Client{
		Transport: &http.Transport{
			DialContext:           dialer(c.Loopback).DialContext,
			TLSClientConfig:       &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:     true,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: c.Timeout,
			MaxIdleConnsPerHost:   2,
			IdleConnTimeout:       time.Minute,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return fmt.Errorf("%w: it redirects more than %d times", ErrNotAllowed, maxRedirects)
			}
			if r.URL.Host != via[0].URL.Host {
				return fmt.Errorf("%w: %s redirects to another host", ErrNotAllowed, place(via[0].URL))
			}
			return client.allowed(r.URL)
		},
	}
	return client, nil
}

func or[T comparable](v, standard T) T {
	var zero T
	if v == zero {
		return standard
	}
	return v
}

// Get asks for a page, again and again where that may help.
func (c *Client) Get(ctx context.Context, address string) (*Answer, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%w: it is no URL", ErrNotAllowed) // the URL's own error would tell its query
	}
	if err := c.allowed(u); err != nil {
		return nil, err
	}
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = c.config.Wait, c.config.Longest
	var last error
	answer, err := backoff.Retry(ctx, func() (*Answer, error) {
		var answer *Answer
		if answer, last = c.try(ctx, u); last == nil {
			return answer, nil
		}
		return nil, c.whether(ctx, last)
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(c.config.Tries), backoff.WithMaxElapsedTime(0))
	switch {
	case err == nil:
		return answer, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, last
}

// whether says to the library when to try again, if at all.
func (c *Client) whether(ctx context.Context, err error) error {
	var status *StatusError
	switch {
	case ctx.Err() != nil, errors.Is(err, ErrNotAllowed), errors.Is(err, ErrTooLarge):
		return backoff.Permanent(err)
	case !errors.As(err, &status):
		return err // of the network
	case !status.Again(), status.After > c.config.Longest:
		return backoff.Permanent(err)
	case status.After > 0:
		return &backoff.RetryAfterError{Duration: status.After}
	}
	return err
}

// allowed holds an address against what may be asked.
func (c *Client) allowed(u *url.URL) error {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	switch {
	case u.User != nil || u.Fragment != "" || u.Opaque != "":
		return fmt.Errorf("%s: %w: it holds more than host, path and query", place(u), ErrNotAllowed)
	case !slices.Contains(c.config.Hosts, host):
		return fmt.Errorf("%s: %w: only %s may", place(u), ErrNotAllowed, strings.Join(c.config.Hosts, ", "))
	case c.config.Loopback && (u.Scheme == "http" || u.Scheme == "https"):
		return nil
	case u.Scheme != "https":
		return fmt.Errorf("%s: %w: it is not https", place(u), ErrNotAllowed)
	case port != "" && port != "443":
		return fmt.Errorf("%s: %w: its port is not 443", place(u), ErrNotAllowed)
	}
	return nil
}

// place is an address as it may be told: queries may hold what is nobody's business.
func place(u *url.URL) string { return u.Host + u.EscapedPath() }

func (c *Client) try(ctx context.Context, u *url.URL) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place(u), ErrNotAllowed)
	}
	c.sign(r)
	response, err := c.http.Do(r)
	if err != nil {
		var of *url.Error
		if errors.As(err, &of) {
			err = of.Err // without the query
		}
		return nil, fmt.Errorf("ask %s: %w", place(u), err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, c.config.MaxBody+1))
	switch {
	case response.StatusCode != http.StatusOK:
		return nil, &StatusError{place(u), response.StatusCode, retryAfter(response.Header, time.Now())}
	case err != nil:
		return nil, fmt.Errorf("read the answer of %s: %w", place(u), err)
	case int64(len(body)) > c.config.MaxBody:
		return nil, fmt.Errorf("%s: %w: more than %d bytes", place(u), ErrTooLarge, c.config.MaxBody)
	}
	return &Answer{response.Request.URL.String(), response.Header, body}, nil
}

func (c *Client) sign(r *http.Request) {
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "makegood")
	for name, value := range c.config.Headers {
		r.Header.Set(name, value)
	}
	switch c.config.Auth {
	case "bearer":
		r.Header.Set("Authorization", "Bearer "+c.config.Key)
	case "basic":
		user, password, _ := strings.Cut(c.config.Key, ":")
		r.SetBasicAuth(user, password)
	case "header":
		r.Header.Set(c.config.Header, c.config.Key)
	}
}

// retryAfter reads Retry-After, which is seconds or a date (RFC 9110 §10.2.3).
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds > 0 && seconds < 1e6 {
		return time.Duration(seconds * float64(time.Second)) // Shopify sends 2.0
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return at.Sub(now).Round(time.Second)
	}
	return 0
}

// Links are the addresses of the header Link, by rel (RFC 8288).
func (a *Answer) Links() map[string]string {
	links := map[string]string{}
	for _, header := range a.Header.Values("Link") {
		for header != "" {
			_, rest, found := strings.Cut(header, "<")
			target, parameters, closed := strings.Cut(rest, ">")
			if !found || !closed {
				break
			}
			// The parameters end at the comma before the next target.
			end := strings.Index(parameters, "<")
			if end < 0 {
				end = len(parameters)
			}
			for p := range strings.SplitSeq(parameters[:end], ";") {
				name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
				if !strings.EqualFold(strings.TrimSpace(name), "rel") {
					continue
				}
				for rel := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(value), ` ",`)) {
					if _, there := links[rel]; !there {
						links[strings.ToLower(rel)] = target
					}
				}
			}
			header = parameters[end:]
		}
	}
	return links
}
