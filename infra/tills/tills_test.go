package tills_test

import (
	"context"
	"strings"
	"testing"

	"github.com/makegood/makegood/infra/tills"
)

func TestCSVOfASmallShop(t *testing.T) {
	m, err := tills.Load("csv")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(m.About, "\n\n")
	got := m.Map(context.Background(), tills.Till{Name: "csv"}, tills.Input{Body: []byte(table)})
	for _, r := range got.Refusals {
		t.Error(r)
	}
	for _, e := range got.Events {
		t.Log(string(e.JSON))
	}
}
