//go:build browser

package main

import (
	"context"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a real Chromium, in whose console nothing may be said.
type browser struct {
	*testing.T
	ctx  context.Context
	base string

	mu         sync.Mutex
	complaints []string
}

func startBrowser(t *testing.T, base string) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WindowSize(1280, 1000),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(time.Minute))
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, done := chromedp.NewContext(allocator)
	t.Cleanup(done)
	b := &browser{T: t, ctx: ctx, base: base}
	chromedp.ListenTarget(ctx, func(e any) {
		switch e := e.(type) {
		case *runtime.EventExceptionThrown:
			b.complain("exception: " + fmt.Sprint(e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
		case *runtime.EventConsoleAPICalled:
			b.complain("console: " + string(e.Type))
		case *log.EventEntryAdded:
			b.complain(fmt.Sprintf("log: %s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
		case *page.EventJavascriptDialogOpening:
			b.complain("dialog: " + e.Message)
		}
	})
	b.do(log.Enable())
	return b
}

func (b *browser) complain(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, text)
}

func (b *browser) do(actions ...chromedp.Action) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 2*time.Minute)
	defer cancel()
	// The first Run binds the browser to its context, which must be the one that lives on.
	if chromedp.FromContext(b.ctx).Target == nil {
		if err := chromedp.Run(b.ctx); err != nil {
			b.Fatal(err)
		}
	}
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.Fatal(err)
	}
}

func (b *browser) open(path string) {
	b.Helper()
	b.do(chromedp.Navigate(b.base+path), chromedp.WaitReady("main"), numbersCame)
}

// follow clicks a link and waits for the page that it leads to.
func (b *browser) follow(selector string) {
	b.Helper()
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := chromedp.RunResponse(ctx, chromedp.Click(selector, chromedp.ByQuery))
		return err
	}), chromedp.WaitReady("main"), numbersCame)
}

// numbersCame waits until a page that was shown without its numbers has them.
var numbersCame = chromedp.Poll(`!document.querySelector("[data-waiting]")`, nil,
	chromedp.WithPollingTimeout(100*time.Second))

// eval asks the page.
func eval[T any](b *browser, script string) T {
	b.Helper()
	var answer T
	b.do(chromedp.Evaluate(script, &answer))
	return answer
}

// amounts are the numbers of the cells that a selector finds.
func (b *browser) amounts(selector string) []*big.Rat {
	b.Helper()
	var all []*big.Rat
	for _, text := range eval[[]string](b, fmt.Sprintf(`[...document.querySelectorAll(%q)].map(d => d.value)`, selector)) {
		n, ok := new(big.Rat).SetString(text)
		if !ok {
			b.Fatalf("%s: %q is no number", selector, text)
		}
		all = append(all, n)
	}
	if len(all) == 0 {
		b.Fatalf("there is nothing at %s", selector)
	}
	return all
}

func sum(all []*big.Rat) *big.Rat {
	total := new(big.Rat)
	for _, n := range all {
		total.Add(total, n)
	}
	return total
}

func (b *browser) same(what string, got, want *big.Rat) {
	b.Helper()
	if got.Cmp(want) != 0 {
		b.Errorf("%s: %s, and where the reader came from %s", what, got.FloatString(4), want.FloatString(4))
	}
}

func (b *browser) quiet(where string) {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		b.Errorf("%s: %s", where, c)
	}
	b.complaints = nil
}

// picture keeps what a person would see, where MAKEGOOD_SCREENSHOTS names a folder.
func (b *browser) picture(name string, width int64) {
	b.Helper()
	dir := os.Getenv("MAKEGOOD_SCREENSHOTS")
	if dir == "" {
		return
	}
	var png []byte
	b.do(chromedp.EmulateViewport(width, 1000), chromedp.Sleep(300*time.Millisecond), chromedp.FullScreenshot(&png, 100),
		chromedp.EmulateViewport(1280, 1000))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		b.Fatal(err)
	}
}
