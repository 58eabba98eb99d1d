package domain

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestFactsOfTheContract holds the contract's table of business facts against Settle: what it lists counts once where
// two sources say it, and only that. A kind of event that posts and isn't in the table has to be known here.
func TestFactsOfTheContract(t *testing.T) {
	noFacts := []Type{TypeErrorClassified, TypeErrorRejected, TypeFactDecided, TypeEventVoided}
	ids := businessIDs(t)
	for _, typ := range Types() {
		id, listed := ids[typ.Name()]
		switch {
		case !listed && typ.Posts() != PostsNothing && !slices.Contains(noFacts, typ):
			t.Errorf("%s posts, and the contract's table of facts doesn't say what makes two of it one", typ.Name())
		case listed && len(kinds[typ].probes) > 0: // TestEveryKind tells of what has none
			if got := saidTwice(t, typ, id, true); got != Double {
				t.Errorf("%s: two with one %s: the second is %s", typ.Name(), id, got)
			}
			if got := saidTwice(t, typ, id, false); got != Counts {
				t.Errorf("%s: two with a %s each: the second is %s", typ.Name(), id, got)
			}
		}
	}
}

// saidTwice settles a probe of a kind that two sources tell, and is how the second stands.
func saidTwice(t *testing.T, typ Type, id string, same bool) Standing {
	t.Helper()
	var events []Recorded
	for i, source := range []string{"a", "b"} {
		value := "1"
		if !same && i == 1 {
			value = "2"
		}
		e := &Event{Source: source, ID: "1", Type: typ, Time: probed.Add(time.Duration(i) * time.Minute), OrderID: "o",
			StoreID: "s", ErrorID: "e", Currency: "EUR", Data: kinds[typ].probes[0]}
		switch id {
		case "order_id":
			e.ErrorID, e.OrderID = "", value
		case "error_id":
			e.ErrorID = value
		default:
			e.Data = withID(t, e.Data, id, value)
		}
		events = append(events, Recorded{Event: e, At: Position{Stream: Orders, Offset: int64(i)}})
	}
	s, err := NewTerms(time.UTC).Settle(events)
	if err != nil {
		t.Fatal(err)
	}
	return s.Events[1].Standing
}

// withID is a copy of data with its business id set: labour_id is the field LabourID.
func withID(t *testing.T, d Data, id, value string) Data {
	t.Helper()
	name := ""
	for part := range strings.SplitSeq(strings.TrimSuffix(id, "_id"), "_") {
		name += strings.ToUpper(part[:1]) + part[1:]
	}
	twin := reflect.New(reflect.TypeOf(d).Elem())
	twin.Elem().Set(reflect.ValueOf(d).Elem())
	field := twin.Elem().FieldByName(name + "ID")
	if !field.IsValid() {
		t.Fatalf("%T has no %sID", d, name)
	}
	field.SetString(value)
	return twin.Interface().(Data)
}

// businessIDs are the rows of the contract's table of facts: by type the name of its business id.
func businessIDs(t *testing.T) map[string]string {
	t.Helper()
	ids := map[string]string{}
	inside := false
	for _, line := range section(t, "3. Events") {
		if strings.HasPrefix(line, "| type | business id |") {
			inside = true
			continue
		}
		if inside = inside && strings.HasPrefix(line, "|"); !inside || strings.HasPrefix(line, "| ---") {
			continue
		}
		cells := strings.Split(line, "|")
		said, _, _ := strings.Cut(strings.TrimSpace(cells[2]), " (")
		names, list := strings.Split(strings.TrimSpace(cells[1]), ", "), strings.Split(said, ", ")
		for i, name := range names {
			ids[name] = strings.TrimSuffix(list[min(i, len(list)-1)], "?")
		}
	}
	if len(ids) < 20 {
		t.Fatalf("only %d types are in the contract's table of facts", len(ids))
	}
	return ids
}

// TestMembersThatAgree: data of a kind that has no rule of its own is compared member by member; what one leaves out
// doesn't contradict, and neither does text.
func TestMembersThatAgree(t *testing.T) {
	type data struct {
		Amount Decimal
		Cost   Optional
		Done   bool
		Lines  []GoodsLine
		Text   string
	}
	full := data{Amount: 5, Cost: Some(0), Done: true, Lines: probeGoods, Text: "a"}
	for name, c := range map[string]struct {
		change func(*data)
		agree  bool
	}{
		"the same":       {func(*data) {}, true},
		"another text":   {func(d *data) { d.Text = "b" }, true},
		"no amount":      {func(d *data) { d.Amount = 0 }, true},
		"another amount": {func(d *data) { d.Amount = 6 }, false},
		"no cost":        {func(d *data) { d.Cost = Optional{} }, true},
		"another cost":   {func(d *data) { d.Cost = Some(1) }, false},
		"not done":       {func(d *data) { d.Done = false }, false},
		"no lines":       {func(d *data) { d.Lines = nil }, true},
		"fewer lines":    {func(d *data) { d.Lines = probeGoods[:1] }, false},
	} {
		other := full
		c.change(&other)
		if got := agreeMembers(reflect.ValueOf(full), reflect.ValueOf(other)); got != c.agree {
			t.Errorf("%s: they agree: %t", name, got)
		}
	}
}
