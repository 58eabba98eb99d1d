package main

import (
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/infra/kafka"
	"github.com/makegood/makegood/projections/deadletter"
)

// kept is how many bodies the log has.
func (s *shop) kept() int64 {
	s.Helper()
	starts, err := s.app.Admin.Starts(s.Context(), "makegood.tills")
	if err != nil {
		s.Fatal(err)
	}
	ends, err := s.app.Admin.Ends(s.Context(), "makegood.tills")
	if err != nil {
		s.Fatal(err)
	}
	n := int64(0)
	for tp, end := range ends {
		n += end - starts[tp]
	}
	return n
}

// expire deletes what came before a time, which is given as its distance from now.
func (s *shop) expire(before time.Duration) {
	s.Helper()
	if err := s.app.ExpireBodies(s.Context(), time.Now().Add(before)); err != nil {
		s.Fatal(err)
	}
}

// letter is the one dead letter that is open.
func (s *shop) letter() deadletter.Letter {
	s.Helper()
	letters := slices.Collect(maps.Values(openLetters(s.T, s.c)))
	if len(letters) != 1 {
		s.Fatalf("%d dead letters are open", len(letters))
	}
	return letters[0]
}

func (s *shop) handle(letter deadletter.Letter, how string) {
	s.Helper()
	if err := s.c.post(s.Context(), "/v1/deadletters/"+letter.ID+"/"+how, "", nil, nil); err != nil {
		s.Fatal(err)
	}
}

// TestTillsRetention: what tills sent is deleted when its time is over, and not before it is mapped; what an open dead
// letter needs stays, with all after it, until somebody deals with it. A letter whose body is gone can't be replayed.
func TestTillsRetention(t *testing.T) {
	t.Parallel()
	s := openShop(t, shopTills, strings.Replace(shopMapping, ".COST", ".cost", 1))
	kept, expire := s.kept, s.expire
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
	letter := s.letter()
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
	s.handle(letter, "discard")
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

// TestTillsRetentionOfWhatComesAgain: a body that was discarded and deleted comes again, and is refused again. Its
// letter needs the later body, which stays until somebody deals with the letter, and can be replayed.
func TestTillsRetentionOfWhatComesAgain(t *testing.T) {
	t.Parallel()
	s := openShop(t, shopTills, strings.Replace(shopMapping, ".COST", ".cost", 1))
	wrong := strings.Replace(shopOrder(100), `"cost"`, `"landed_cost"`, 1)
	s.deliver("orders/create", wrong)
	s.till("shop")
	first := s.letter()
	s.handle(first, "discard")
	if s.expire(time.Hour); s.kept() != 0 {
		t.Fatalf("%d bodies are kept that nobody needs", s.kept())
	}
	for id := range 12 {
		s.deliver("orders/create", shopOrder(id))
	}
	s.deliver("orders/create", wrong)
	s.till("shop")
	letter := s.letter()
	if letter.ID != first.ID {
		t.Errorf("the same body is another letter: %+v, %+v", first, letter)
	}
	if s.expire(time.Hour); s.kept() != 1 {
		t.Errorf("one body is needed, and %d are kept", s.kept())
	}
	s.handle(letter, "replay") // it is refused again
	s.till("shop")
	s.handle(s.letter(), "discard")
	if s.expire(time.Hour); s.kept() != 0 {
		t.Errorf("%d bodies are kept that nobody needs", s.kept())
	}
}

// TestTillsRetentionOfLostLetters: where ClickHouse has lost an open dead letter, the letter comes back, and what it
// needs stays.
func TestTillsRetentionOfLostLetters(t *testing.T) {
	t.Parallel()
	s := openShop(t, shopTills, strings.Replace(shopMapping, ".COST", ".cost", 1))
	s.deliver("orders/create", strings.Replace(shopOrder(100), `"cost"`, `"landed_cost"`, 1))
	s.till("shop")
	before := s.letter()
	for range 2 {
		if err := s.app.Store.DB.Exec(t.Context(), "TRUNCATE TABLE dead_letters"); err != nil {
			t.Fatal(err)
		}
		s.expire(time.Hour) // brings it back
		after := s.letter()
		s.expire(time.Hour)
		before.FirstSeen, before.LastSeen = after.FirstSeen, after.LastSeen
		if kept := s.kept(); kept != 1 || !reflect.DeepEqual(before, after) {
			t.Errorf("%d bodies are kept, and the letter is\n%+v, not\n%+v", kept, after, before)
		}
	}
	s.handle(before, "replay")
	s.till("shop")
	s.handle(s.letter(), "discard")
	if s.expire(time.Hour); s.kept() != 0 {
		t.Errorf("%d bodies are kept that nobody needs", s.kept())
	}
}
