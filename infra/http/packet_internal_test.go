package gateway

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/makegood/makegood/projections/insight"
	"github.com/makegood/makegood/projections/report"
)

// TestALongClaimIsNoPDF: a claim of more rows than a PDF takes is refused as PDF, and the error says what to ask for;
// as CSV it has all of them. A claim that nobody waits for is not written.
func TestALongClaimIsNoPDF(t *testing.T) {
	question := insight.QuestionOf("claims/packet")
	a := &insight.Answer{Table: insight.Table{Rows: make([]insight.Row, mostOnPaper+1)}}
	for i := range a.Rows {
		a.Rows[i] = insight.Row{"case": "c", "order": "o"}
	}
	refused, csv := httptest.NewRecorder(), httptest.NewRecorder()
	var invalid *report.Invalid
	if err := answerInsight(t.Context(), refused, question, a, "pdf", "", "v1"); !errors.As(err, &invalid) ||
		invalid.Code != report.TooManyRows || !strings.Contains(err.Error(), "ask for format=csv") ||
		refused.Body.Len() > 0 {
		t.Errorf("%v, and %d bytes", err, refused.Body.Len())
	}
	if err := answerInsight(t.Context(), csv, question, a, "csv", "", "v1"); err != nil ||
		strings.Count(csv.Body.String(), "\n") != mostOnPaper+2 {
		t.Errorf("%v, and %d lines", err, strings.Count(csv.Body.String(), "\n"))
	}
	a.Rows = a.Rows[:mostOnPaper]
	gone, leave := context.WithCancel(t.Context())
	leave()
	if err := answerInsight(gone, refused, question, a, "pdf", "", "v1"); !errors.Is(err, context.Canceled) ||
		refused.Body.Len() > 0 {
		t.Errorf("%v, and %d bytes", err, refused.Body.Len())
	}
}
