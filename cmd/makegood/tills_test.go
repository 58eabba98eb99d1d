package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/makegood/makegood/cmd/makegood/server"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/projections/report"
)

// shopMapping is a mapping for tests: orders and refunds of a shop that signs what it sends.
const shopMapping = `
name: shop
about: Orders and refunds of a shop.
sign: {scheme: hmac, header: X-Shop-Hmac, encoding: base64}
read: {format: json}
kinds:
  - kind: orders/create
    header: X-Shop-Topic
    events: |
      {type: "makegood.order.placed.v1", id: "order/\(.id)", time: .created_at, subject: "\(.id)",
       data: {order_id: "\(.id)", store_id: $till.store_id, currency: $till.currency, customer_id: .email,
              lines: [.line_items[] | {line_id: "\(.id)", sku, quantity, unit_price: (.price | amount),
                                       unit_cost: (.COST | amount)}]}}
  - kind: refunds/create
    header: X-Shop-Topic
    events: |
      {type: "makegood.refund.issued.v1", id: "refund/\(.id)", time: .created_at, subject: "\(.order_id)",
       data: {refund_id: "\(.id)", order_id: "\(.order_id)", store_id: $till.store_id, error_id: "\(.order_id)",
              currency: $till.currency, net: ([.transactions[].amount] | dsum)}}
  - kind: shop/update
    header: X-Shop-Topic
    nothing: no money moves
`

const shopSecret = "0123456789abcdef"

// shop is a makegood with tills, and who sends to them.
type shop struct {
	*testing.T
	app *server.App
	c   *client
	dir string // of the tills file, the mappings and the secrets
}

// writeTills writes a tills file with what it names.
func writeTills(t testing.TB, dir, tills, mapping string) string {
	t.Helper()
	for name, content := range map[string]string{"tills.yaml": tills, "shop.yaml": mapping, "secret": shopSecret} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "tills.yaml")
}

func openShop(t *testing.T, tills, mapping string) *shop {
	t.Helper()
	s := &shop{T: t, dir: t.TempDir()}
	if err := os.Mkdir(filepath.Join(s.dir, "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := writeTills(t, s.dir, tills, mapping)
	s.app, s.c = startTestAppWith(t, t.TempDir(), func(c *server.Config) {
		c.Tills, c.Roles = file, append(c.Roles, server.RoleMapper)
	})
	return s
}

// deliver sends what a till says, signed.
func deliver(ctx context.Context, c *client, till, topic, body string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/v1/tills/"+till, strings.NewReader(body))
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, []byte(shopSecret))
	mac.Write([]byte(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Shop-Topic", topic)
	r.Header.Set("X-Shop-Hmac", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return c.do(r, nil)
}

func (s *shop) deliver(topic, body string) {
	s.Helper()
	if err := deliver(s.Context(), s.c, "shop", topic, body); err != nil {
		s.Fatal(err)
	}
}

// till waits until all that tills sent is mapped and booked, and says how it goes with one.
func (s *shop) till(name string) gateway.TillStatus {
	s.Helper()
	till, err := tillMapped(s.Context(), s.c, name)
	if err != nil {
		s.Fatal(err)
	}
	return till
}

func tillMapped(ctx context.Context, c *client, name string) (gateway.TillStatus, error) {
	var none gateway.TillStatus
	for waiting := true; ; time.Sleep(20 * time.Millisecond) {
		var answer struct{ Tills []gateway.TillStatus }
		if err := c.get(ctx, "/v1/tills", nil, &answer); err != nil {
			return none, err
		}
		for _, till := range answer.Tills {
			if till.Name != name || till.Waiting > 0 {
				continue
			}
			if !waiting {
				return till, nil
			}
			waiting = false
			if _, err := c.caughtUp(ctx); err != nil {
				return none, err
			}
		}
		if ctx.Err() != nil {
			return none, ctx.Err()
		}
	}
}

func shopOrder(id int) string {
	return fmt.Sprintf(`{"id": %d, "created_at": "2026-01-10T09:00:00Z", "email": "mary@example.com", "line_items": [`+
		`{"id": 1, "sku": "M", "quantity": 2, "price": "50.00", "cost": "30.00"}]}`, id)
}

const shopTills = "shop: {mapping: shop.yaml, secret_file: secret, store: s1, currency: USD}\n"

// TestTills: what a shop sends by webhook is in the books; what its mapping can't read is a dead letter, and is booked
// once the mapping is mended and it is replayed; nothing of a customer is kept but the body as it came.
func TestTills(t *testing.T) {
	t.Parallel()
	s := openShop(t, shopTills, strings.Replace(shopMapping, ".COST", ".cost", 1))
	s.deliver("orders/create", shopOrder(9007199254740993))
	s.deliver("orders/create", shopOrder(9007199254740993)) // the shop tries again
	s.deliver("refunds/create", `{"id": 7, "order_id": 9007199254740993, "created_at": "2026-01-12T09:00:00Z",
		"transactions": [{"amount": "25.50"}, {"amount": "4.50"}], "note": "for mary@example.com"}`)
	s.deliver("shop/update", `{"id": 1}`)
	if till := s.till("shop"); till.Events != 2 || till.Refused != 0 || till.LastSeen == nil || till.Mapping == "shop" {
		t.Errorf("the till: %+v", till)
	}
	var order report.Story
	if err := s.c.get(t.Context(), "/v1/orders/9007199254740993", nil, &order); err != nil {
		t.Fatal(err)
	}
	if order.PerfectContribution != "40.0000" || order.Net != "30.0000" || order.Contribution != "10.0000" {
		t.Errorf("the order: %+v", order)
	}

	// The shop calls its costs otherwise from now on.
	body := strings.Replace(shopOrder(8), `"cost"`, `"landed_cost"`, 1)
	s.deliver("orders/create", body)
	if till := s.till("shop"); till.Refused != 1 || till.Events != 2 {
		t.Errorf("the till: %+v", till)
	}
	letters := openLetters(t, s.c)
	var id string
	for _, d := range letters {
		if id = d.ID; d.Topic != "makegood.tills" || d.Source != "//tills/shop" ||
			!strings.Contains(d.Detail, "orders/create") {
			t.Errorf("the dead letter: %+v", d)
		}
	}
	var shown bytes.Buffer
	if err := s.c.get(t.Context(), "/v1/deadletters/"+id, nil, &shown); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(shown.String(), base64.StdEncoding.EncodeToString([]byte(body))) {
		t.Errorf("the body isn't shown: %s", &shown)
	}
	s.nothingOf("mary@example.com")

	mended := strings.Replace(shopMapping, ".COST", "(.cost // .landed_cost)", 1)
	writeTills(t, s.dir, shopTills, mended)
	for end := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if err := s.c.post(t.Context(), "/v1/deadletters/"+id+"/replay", "", nil, nil); err != nil {
			t.Fatal(err)
		}
		if till := s.till("shop"); till.Refused == 0 && till.Events == 3 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the mended mapping is never used")
		}
	}
	if err := s.c.get(t.Context(), "/v1/orders/8", nil, &order); err != nil {
		t.Fatal(err)
	}
}

// nothingOf looks for somebody in all that is kept of dead letters and events.
func (s *shop) nothingOf(person string) {
	s.Helper()
	for _, table := range []string{"ledger", "dead_letters"} {
		var n uint64
		if err := s.app.Store.DB.QueryRow(s.Context(), "SELECT count() FROM "+table+
			" WHERE payload LIKE ?", "%"+person+"%").Scan(&n); err != nil {
			s.Fatal(err)
		}
		if n > 0 {
			s.Errorf("%s tells of %s", table, person)
		}
	}
}

// TestTillsRefuse: who doesn't sign, who isn't configured and who sends too much get their answer, and nothing is kept.
func TestTillsRefuse(t *testing.T) {
	t.Parallel()
	s := openShop(t, shopTills, shopMapping)
	status := func(err error) int {
		var p *problem
		if !errors.As(err, &p) {
			t.Fatalf("no problem: %v", err)
		}
		return p.Status
	}
	if got := status(s.c.post(t.Context(), "/v1/tills/shop", "application/json", strings.NewReader("{}"),
		nil)); got != 401 {
		t.Errorf("unsigned: %d", got)
	}
	if got := status(deliver(t.Context(), s.c, "nobody", "x", "{}")); got != 404 {
		t.Errorf("no till: %d", got)
	}
	noise := make([]byte, 1<<20)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(noise) // it never fails
	if got := status(deliver(t.Context(), s.c, "shop", "x", string(noise))); got != 413 {
		t.Errorf("what can't be packed: %d", got)
	}
	if got := status(deliver(t.Context(), s.c, "shop", "x", strings.Repeat(" ", 9<<20))); got != 413 {
		t.Errorf("a large body: %d", got)
	}
	ends, err := s.app.Admin.Ends(t.Context(), "makegood.tills")
	if err != nil {
		t.Fatal(err)
	}
	for p, end := range ends {
		if end > 0 {
			t.Errorf("%v has %d records", p, end)
		}
	}
	// What packs well is taken, and mapped.
	if err := deliver(t.Context(), s.c, "shop", "shop/update", "{}"+strings.Repeat(" ", 5<<20)); err != nil {
		t.Error(err)
	}
	if till := s.till("shop"); till.Refused != 0 {
		t.Errorf("the till: %+v", till)
	}
}

// TestTillsFromElsewhere: a watched folder and somebody else's topic fill the books as a webhook does, with the same
// identities.
func TestTillsFromElsewhere(t *testing.T) {
	t.Parallel()
	s := openShop(t, shopTills+"table: {mapping: csv, folder: in, currency: USD}\n"+
		"outbox: {mapping: shop.yaml, topic: theirs, kind: orders/create, currency: USD}\n"+
		"other: {mapping: shop.yaml, topic: others, kind: orders/create, currency: USD}\n",
		strings.Replace(shopMapping, ".COST", ".cost", 1))
	table := "what,order,line,date,sku,quantity,unit_price,discount,tax,unit_cost,currency,id,amount,kind\n" +
		"sale,1001,1,2026-01-10 09:00,M,1,100.00,,8.00,60.00,USD,,,\n"
	if err := os.WriteFile(filepath.Join(s.dir, "in", "day.csv"), []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	client := &kafkago.Client{Addr: kafkago.TCP(s.app.Brokers...)}
	if _, err := client.CreateTopics(t.Context(), &kafkago.CreateTopicsRequest{
		Topics: []kafkago.TopicConfig{{Topic: "theirs", NumPartitions: 2, ReplicationFactor: 1},
			{Topic: "others", NumPartitions: 1, ReplicationFactor: 1}}}); err != nil {
		t.Fatal(err)
	}
	w := &kafkago.Writer{Addr: kafkago.TCP(s.app.Brokers...), RequiredAcks: kafkago.RequireAll,
		BatchTimeout: time.Millisecond}
	defer w.Close()
	if err := w.WriteMessages(t.Context(),
		kafkago.Message{Topic: "theirs", Key: []byte("5"), Value: []byte(shopOrder(5))},
		kafkago.Message{Topic: "theirs", Key: []byte("5")},
		kafkago.Message{Topic: "others", Key: []byte("6"), Value: []byte(shopOrder(6))}); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if s.till("table").Events == 1 && s.till("outbox").Events == 1 && s.till("other").Events == 1 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("table %+v, outbox %+v, other %+v", s.till("table"), s.till("outbox"), s.till("other"))
		}
	}
	if _, err := os.Stat(filepath.Join(s.dir, "in", "done", "day.csv")); err != nil {
		t.Error(err)
	}
	for _, order := range []string{"1001", "5", "6"} {
		if err := s.c.get(t.Context(), "/v1/orders/"+order, nil, nil); err != nil {
			t.Error(err)
		}
	}
}

// TestTillsKilledAtAnyMoment: a process that is killed again and again while tills send, each body until it is
// acknowledged, books every one of them once.
func TestTillsKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	kills, orders := 5, 400
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 7))
	dir, addr, kafkaAddr := t.TempDir(), freeAddress(t), freeAddress(t)
	tills := writeTills(t, t.TempDir(), shopTills, strings.Replace(shopMapping, ".COST", ".cost", 1))
	serve := func() *process {
		return startProcess(t, "serve", "--data-dir", dir, "--http", addr, "--kafka-listen", kafkaAddr, "--tills", tills)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	c := newClient("http://" + addr)
	p := serve()
	var sent atomic.Int64
	sending, _ := errgroup.WithContext(ctx)
	for sender := range 4 {
		sending.Go(func() error {
			for id := sender; id < orders; id += 4 {
				for deliver(ctx, c, "shop", "orders/create", shopOrder(id)) != nil {
					if ctx.Err() != nil {
						return ctx.Err()
					}
					time.Sleep(20 * time.Millisecond)
				}
				sent.Add(1)
				time.Sleep(10 * time.Millisecond)
			}
			return nil
		})
	}
	for range kills {
		time.Sleep(time.Duration(200+random.IntN(1500)) * time.Millisecond)
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = p.cmd.Wait() // it was killed
		p = serve()
	}
	if err := sending.Wait(); err != nil {
		t.Fatalf("seed %d: %v after %d\n%s", seed, err, sent.Load(), p.said)
	}
	waitReady(ctx, t, c, p)
	till, err := tillMapped(ctx, c, "shop")
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, p.said)
	}
	now := mustCatchUp(t, c)
	if till.Events != uint64(orders) || now.Events != uint64(orders) || now.DeadLetters != 0 {
		t.Errorf("seed %d: %d events of the till, %d in the books, %d dead letters, not %d", seed, till.Events, now.Events,
			now.DeadLetters, orders)
	}
}
