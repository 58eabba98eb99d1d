package main

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/infra/kafka"
)

// TestTillsRetention: what tills sent is deleted when its time is over, and not before it is mapped; what an open dead
// letter needs stays, with all after it, until somebody deals with it. A letter of which nothing is left says so.
func TestTillsRetention(t *testing.T) {
	t.Parallel()
	s := openShop(t, shopTills, strings.Replace(shopMapping, ".COST", ".cost", 1))
	kept := func() int64 {
		t.Helper()
		starts, err := s.app.Admin.Starts(t.Context(), "makegood.tills")
		if err != nil {
			t.Fatal(err)
		}
		ends, err := s.app.Admin.Ends(t.Context(), "makegood.tills")
		if err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		for tp, end := range ends {
			n += end - starts[tp]
		}
		return n
	}
	expire := func(before time.Duration) {
		t.Helper()
		if err := s.app.ExpireBodies(t.Context(), time.Now().Add(before)); err != nil {
			t.Fatal(err)
		}
	}
	for id := range 20 {
		s.deliver("orders/create", shopOrder(id))
	}
	s.till("shop")
	if expire(-time.Hour); kept() != 20 {
		t.Errorf("of 20 bodies that are young %d are kept", kept())
	}
	if expire(time.Hour); kept() != 0 {
		t.Errorf("%d bodies are kept longer than they were to be", kept())
	}

	s.deliver("orders/create", strings.Replace(shopOrder(100), `"cost"`, `"landed_cost"`, 1))
	s.till("shop")
	letter := slices.Collect(maps.Values(openLetters(t, s.c)))[0]
	at := kafka.TopicPartition{Topic: "makegood.tills", Partition: int(letter.Partition)}
	there := func() bool {
		t.Helper()
		_, there, err := s.app.Admin.Record(t.Context(), at, letter.Offset)
		if err != nil {
			t.Fatal(err)
		}
		return there
	}
	for id := range 20 {
		s.deliver("orders/create", shopOrder(200+id))
	}
	s.till("shop")
	if expire(time.Hour); !there() || kept() >= 21 {
		t.Errorf("the body of an open dead letter is there: %v, of 21 are kept %d", there(), kept())
	}
	if err := s.c.post(t.Context(), "/v1/deadletters/"+letter.ID+"/discard", "", nil, nil); err != nil {
		t.Fatal(err)
	}
	if expire(time.Hour); there() || kept() != 0 {
		t.Errorf("nobody needs it any more: there %v, %d kept", there(), kept())
	}
	err := s.c.post(t.Context(), "/v1/deadletters/"+letter.ID+"/replay", "", nil, nil)
	if refused, is := errors.AsType[*problem](err); !is || refused.Status != http.StatusConflict {
		t.Errorf("a letter of which nothing is left is replayed: %v", err)
	}
	s.deliver("orders/create", shopOrder(300)) // the mapper goes on
	if till := s.till("shop"); till.Events != 41 || till.Refused != 0 {
		t.Errorf("the till: %+v", till)
	}
}
