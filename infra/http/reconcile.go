package gateway

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/makegood/makegood/projections/audit"
	"github.com/makegood/makegood/projections/report"
)

// Payouts are what a payment processor reports for one currency; none where the books are only held against the log.
type Payouts struct {
	Lines    []audit.Payout
	Currency string        // ISO 4217
	Lag      time.Duration // how long the processor takes to pay
}

// reconcilePattern is its route.
const reconcilePattern = "POST /v1/reconcile"

const (
	// maxPayoutBytes bounds the report that is sent along.
	maxPayoutBytes = 16 << 20
	// payoutWeight is how many bytes of memory a byte of it takes, once it is read: its rows are kept until the answer.
	payoutWeight = 4
)

// reservedBody takes room for what it reads.
type reservedBody struct {
	io.Reader
	room *reservation
}

func (b *reservedBody) Read(to []byte) (int, error) {
	n, err := b.Reader.Read(to)
	if n > 0 && !b.room.take(payoutWeight*int64(n)) {
		return 0, errNoRoom
	}
	return n, err //nolint:wrapcheck // this is a reader
}

// reconcile takes the processor's report as CSV in the body, or nothing.
func (s *Server) reconcile(w http.ResponseWriter, r *http.Request, b Books) error {
	if err := onlyParameters(r.URL.Query(), "currency", "lag_days", "as_of"); err != nil {
		return err
	}
	p := Payouts{Currency: r.URL.Query().Get("currency"), Lag: 7 * 24 * time.Hour}
	if text := r.URL.Query().Get("lag_days"); text != "" {
		days, err := strconv.Atoi(text)
		if err != nil || days < 0 || days > 366 {
			return &report.Invalid{Code: report.NotADelay, Parameter: "lag_days", Value: text, Of: []string{"0", "366"}}
		}
		p.Lag = time.Duration(days) * 24 * time.Hour
	}
	if err := csvAlone(r); err != nil {
		return err
	}
	at, err := asOf(r.Context(), r.URL.Query().Get("as_of"), b)
	if err != nil {
		return err
	}
	room := s.inFlight.reserve(nil) // one at a time, for operators
	defer room.release()
	if r.ContentLength != 0 {
		lines, err := audit.ReadPayouts(&reservedBody{r.Body, &room})
		var large *http.MaxBytesError
		switch {
		case errors.Is(err, io.EOF): // nothing was sent after all
		case errors.Is(err, errNoRoom):
			s.away.bytes.Add(1)
			return errNoRoom
		case errors.As(err, &large):
			return NewProblem(http.StatusRequestEntityTooLarge, ProblemTooLarge,
				"the payouts have more than %d bytes: compare them month by month", maxPayoutBytes)
		case err != nil:
			return &badQuery{err.Error()}
		case p.Currency == "":
			return &report.Invalid{Code: report.CurrencyWanted, Parameter: "currency"}
		case len(lines) == 0:
			return &badQuery{audit.ErrNoPayouts.Error()}
		default:
			p.Lines = lines
		}
	}
	found, err := b.Reconcile(r.Context(), at, p)
	return answer(w, found, err)
}
