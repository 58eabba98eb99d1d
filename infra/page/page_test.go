package page

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// pageOf is a page of these books in UTC, and what a reader of a path gets.
func pageOf(t *testing.T, books Books, now func() time.Time) (*Page,
	func(path string, header ...string) *httptest.ResponseRecorder) {
	t.Helper()
	p, err := New(Config{Books: books, Now: now, Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	p.Mount(func(pattern string, h http.Handler) { mux.Handle(pattern, h) })
	return p, func(path string, header ...string) *httptest.ResponseRecorder {
		answer, request := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil)
		for i := 0; i < len(header); i += 2 {
			request.Header.Set(header[i], header[i+1])
		}
		mux.ServeHTTP(answer, request)
		return answer
	}
}
