package embedded

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

const (
	progressEvery   = 200 * time.Millisecond
	progressPercent = 20 // where there is no terminal, a line each so many percent
	fetchingEngine  = "fetching the ClickHouse engine"
)

// watchGrowth shows how a download in dir grows towards size. npm's own
// progress can't be read by a program, but what it has written can be seen.
// The returned function ends it.
func watchGrowth(dir string, size int64, w io.Writer) (stop func(whole bool)) {
	if w == nil {
		return func(bool) {}
	}
	show, finish := plainProgress(size, w)
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		show, finish = barProgress(size, w)
	}
	end, ended := make(chan bool), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case whole := <-end:
				finish(whole)
				return
			case <-tick.C:
				// npm writes the package into its cache first, then copies
				// it out: past the size nothing is left to download.
				show(min(grown(dir), size))
			}
		}
	}()
	return func(whole bool) {
		end <- whole
		<-ended
	}
}

// What can't be shown is not worth an error: the download goes on without.

func barProgress(size int64, w io.Writer) (show func(int64), finish func(bool)) {
	bar := progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(fetchingEngine),
		progressbar.OptionShowBytes(true),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(progressEvery),
	)
	return func(n int64) { _ = bar.Set64(n) }, func(whole bool) {
		if whole {
			_ = bar.Finish()
		}
		_, _ = fmt.Fprintln(w)
	}
}

func plainProgress(size int64, w io.Writer) (show func(int64), finish func(bool)) {
	_, _ = fmt.Fprintf(w, "%s (%d MB), once\n", fetchingEngine, size/1e6)
	said := int64(0)
	show = func(n int64) {
		if size <= 0 {
			return
		}
		percent := n * 100 / size
		if percent-said < progressPercent || percent >= 100 {
			return
		}
		said = percent
		_, _ = fmt.Fprintf(w, "%s: %d of %d MB\n", fetchingEngine, n/1e6, size/1e6)
	}
	return show, func(whole bool) {
		if whole {
			_, _ = fmt.Fprintf(w, "%s: done\n", fetchingEngine)
		}
	}
}

// grown sums the files under dir. Files come and go while npm works; what
// can't be seen isn't counted.
func grown(dir string) int64 {
	var sum int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // as said above
		}
		if info, err := d.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return sum
}
