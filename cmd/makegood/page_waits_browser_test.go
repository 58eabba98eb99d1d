//go:build browser

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/makegood/makegood/cmd/makegood/server"
	"github.com/makegood/makegood/infra/page"
	"github.com/makegood/makegood/projections/report"
)

// slowBooks take some time for the sums.
type slowBooks struct {
	server.Books
	asked chan struct{}
}

func (s slowBooks) Outline(ctx context.Context, q report.OutlineQuery) (*report.Outline, error) {
	<-s.asked
	return s.Books.Outline(ctx, q)
}

// TestNumbersComeByThemselvesInABrowser: the page is there before its numbers, and they come without a hand.
func TestNumbersComeByThemselvesInABrowser(t *testing.T) {
	app, c := startTestApp(t, t.TempDir())
	from, through := fillPage(t, c)
	books := slowBooks{server.Books{App: app}, make(chan struct{})}
	p, err := page.New(page.Config{Books: books, Now: app.Now, Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	mux := http.NewServeMux()
	p.Mount(func(pattern string, h http.Handler) { mux.Handle(pattern, h) })
	served := httptest.NewServer(mux)
	t.Cleanup(served.Close)
	b := startBrowser(t, served.URL)
	b.do(chromedp.Navigate(b.base+"/?from="+from+"&through="+through+"&currency=USD"),
		chromedp.WaitReady("[data-waiting]"))
	b.picture("waiting", 1280)
	close(books.asked)
	b.do(numbersCame)
	if n := eval[int](b, `document.querySelectorAll(".first .plot svg").length`); n != 1 {
		t.Errorf("the numbers came, and %d charts of the first screen are drawn", n)
	}
	b.quiet("a page whose numbers came")
}
