package kafka_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/makegood/makegood/infra/kafka"
)

func TestARefusedMessageComesAgainBeforeWhatFollows(t *testing.T) {
	o := newOne(t, 1)
	must(t, o.pub.Publish("things", numbered(0, 20)...))
	cfg := o.quick()
	cfg.MaxInFlight, cfg.Buffer = 4, -1
	in := subscribe(t, newSubscriber(t, cfg))
	var held []*message.Message
	for range 4 {
		held = append(held, receive(t, in))
	}
	// The consumer spoils its copy; what comes again is as the log has it.
	held[1].Metadata["spoiled"] = "yes"
	for _, i := range []int{3, 1, 0, 2} {
		if i == 1 || i == 3 {
			held[i].Nack()
		} else {
			held[i].Ack()
		}
	}
	var order []int64
	for range 18 {
		m := receive(t, in)
		if len(m.Metadata) != 0 {
			t.Fatalf("metadata %v", m.Metadata)
		}
		order = append(order, offsetOf(m))
		m.Ack()
	}
	again := map[int64]int{}
	for i, offset := range order {
		if offset < 4 {
			again[offset] = i
		}
	}
	if len(again) != 2 || again[1] > again[3] {
		t.Fatalf("1 and 3 were refused, and then came %v", order)
	}
	if again[1] != 0 {
		t.Fatalf("something was handed over before the refused message: %v", order)
	}
	eventually(t, "20 is committed", func() bool { return o.committed(t) == 20 })
}

// With one message in flight, order holds through any refusals.
func TestOrderIsStrictWithOneInFlight(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	o := newOne(t, 3)
	must(t, o.pub.Publish("things", numbered(0, 300)...))
	cfg := o.quick()
	cfg.MaxInFlight, cfg.NackDelay, cfg.MaxNackDelay = 1, time.Microsecond, time.Microsecond
	in := subscribe(t, newSubscriber(t, cfg))
	next := map[int]int64{}
	for done := 0; done < 300; {
		m := receive(t, in)
		pos, _ := kafka.PositionOf(m)
		if pos.Offset != next[pos.Partition] {
			t.Fatalf("%v came when %d was due", pos, next[pos.Partition])
		}
		if rnd.IntN(3) == 0 {
			m.Nack()
			continue
		}
		next[pos.Partition]++
		done++
		m.Ack()
	}
}

// A batch that is refused as a whole comes again as a whole, not one by one.
func TestARefusedBatchComesAgainAtOnce(t *testing.T) {
	o := newOne(t, 1)
	must(t, o.pub.Publish("things", numbered(0, 1000)...))
	in := subscribe(t, newSubscriber(t, o.quick()))
	for range 2 {
		var batch []*message.Message
		for want := range int64(1000) {
			m := receive(t, in)
			if offsetOf(m) != want {
				t.Fatalf("%d came when %d was due", offsetOf(m), want)
			}
			batch = append(batch, m)
		}
		for _, m := range batch {
			m.Nack()
		}
	}
	for range 1000 {
		receive(t, in).Ack()
	}
	eventually(t, "1000 is committed", func() bool { return o.committed(t) == 1000 })
}

func TestInFlightMessagesAreBounded(t *testing.T) {
	o := newOne(t, 2)
	must(t, o.pub.Publish("things", numbered(0, 200)...))
	cfg := o.quick()
	cfg.MaxInFlight = 7
	in := subscribe(t, newSubscriber(t, cfg))
	var held []*message.Message
	for range 14 {
		held = append(held, receive(t, in))
	}
	nothingComes(t, in)
	for _, m := range held {
		m.Ack()
	}
	for range 14 {
		receive(t, in)
	}
	nothingComes(t, in)
}

func TestInFlightBytesAreBounded(t *testing.T) {
	o := newOne(t, 1)
	for range 100 {
		must(t, o.pub.Publish("things", message.NewMessage("", make([]byte, 10_000))))
	}
	cfg := o.quick()
	cfg.MaxInFlightBytes, cfg.FetchMaxBytes = 50_000, 20_000
	in := subscribe(t, newSubscriber(t, cfg))
	var held []*message.Message
	for len(held) < 5 {
		held = append(held, receive(t, in))
	}
	for more := true; more; {
		select {
		case m := <-in:
			held = append(held, m)
		case <-time.After(300 * time.Millisecond):
			more = false
		}
	}
	// Below the bound one more fetch of two is made.
	if len(held) > 7 {
		t.Fatalf("%d messages of 10 kB are in flight", len(held))
	}
	for n := len(held); n < 100; n++ {
		held[0].Ack()
		held = append(held[1:], receive(t, in))
	}
}

// nothingComes looks for a moment whether anything is handed over that must not be.
func nothingComes(t testing.TB, in <-chan *message.Message) {
	t.Helper()
	select {
	case m := <-in:
		t.Fatalf("%d was handed over", offsetOf(m))
	case <-time.After(200 * time.Millisecond):
	}
}
