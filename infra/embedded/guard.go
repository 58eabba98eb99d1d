package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// guard stands before kfake, which trusts its clients more than a process that
// keeps books can:
//   - it allocates whatever size a connection's first four bytes claim, and
//     panics on a request of an unknown kind: either takes the whole process
//     down when, say, a browser finds the port;
//   - it stamps a batch that is marked as having the log's time without
//     renewing the batch's checksum, and takes the batch and everything after
//     it for a torn tail at the next start. No producer should send that mark
//     (Kafka refuses it too), but one that does must not cost others' records;
//   - it lets everybody delete topics and records, alter settings and move
//     offsets of groups: see refused and BrokerConfig.Groups;
//   - it lets everybody read all topics: see BrokerConfig.Private;
//   - it takes any time that a producer claims: see inspect;
//   - it lets everybody open transactions, and take memory: see producers and
//     allowance.
//
// It also asks who connects, where BrokerConfig.Authenticate says so.
type guard struct {
	cfg         *BrokerConfig
	connections *connections
	now         func() time.Time
	anybody     *Principal // who connects where nobody is asked who they are
	refused     *refusals
	producers   producers
	allowances  allowances
}

// refusals are how many requests were refused, by reason.
type refusals [reasons]atomic.Int64

type refusedReason int

const (
	credentials   refusedReason = iota // none, or wrong ones
	rights                             // what the sender may not do
	recordsBarred                      // records that it may not write
	malformed                          // no request of Kafka's
	reasons
)

// Refused is how many requests were refused since the broker was started, by
// reason: credentials, rights, records, malformed.
func (b *Broker) Refused() map[string]int64 {
	r := b.refused
	return map[string]int64{"credentials": r[credentials].Load(), "rights": r[rights].Load(),
		"records": r[recordsBarred].Load(), "malformed": r[malformed].Load()}
}

// Principal is who sends requests, and what they may do.
type Principal struct {
	// Name says who it is in the log.
	Name string
	// Read is to fetch records and to be in a consumer group.
	Read bool
	// MayWrite says whether they may write to a topic; nil is to none.
	MayWrite func(topic string) bool
	// MaySend says why a record may not be written, and otherwise whether the
	// log is to keep the sender's name with it. Nil lets all be written.
	MaySend func(headers map[string]string, value []byte) (sign bool, err error)
	// Own is for makegood itself: it may do all that the broker does for
	// anybody, and is believed what its record headers say.
	Own bool
}

func newGuard(cfg *BrokerConfig, connections *connections) *guard {
	anybody := &Principal{Name: "anybody", Read: true, MayWrite: func(string) bool { return true }, MaySend: cfg.MaySend}
	return &guard{cfg: cfg, connections: connections, now: time.Now, anybody: anybody, refused: cfg.refused,
		producers:  producers{most: cfg.mostProducers, owner: map[int64]string{}},
		allowances: newAllowances()}
}

// ourselves are the connections that Broker.Dial made.
var ourselves = &Principal{Name: "makegood", Own: true}

func (p *Principal) mayWrite(topic string) bool {
	return p.Own || p.MayWrite != nil && p.MayWrite(topic)
}

type guardedListener struct {
	net.Listener
	guard *guard
}

func (l guardedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // kfake only stops on it, and net's error says it all
	}
	l.guard.connections.add(c, 1)
	g := &guardedConn{Conn: c, guard: l.guard}
	g.answered = sync.NewCond(&g.mu)
	if l.guard.cfg.Authenticate != nil {
		_ = c.SetReadDeadline(time.Now().Add(l.guard.cfg.loginTime)) // it fails where the connection is closed: Read says so
	}
	return g, nil
}

// guardedConn is one connection. kfake reads from it in one goroutine at a
// time and writes each answer whole, in another.
type guardedConn struct {
	net.Conn
	guard   *guard
	who     *Principal               // nil until it is known
	header  [requestHeaderBytes]byte // the part of a request read ahead to judge it
	whole   []byte                   // a request that is judged as a whole
	pending []byte                   // what was read ahead and is still to be handed on
	left    int                      // what of the request is still to come after it
	gone    sync.Once
	held    held // what of its sender's allowance the request takes

	mu       sync.Mutex
	answered *sync.Cond
	waiting  int  // requests that were handed on and aren't answered yet
	closed   bool // nobody waits any more
	counted  bool // among the strangers' connections
}

// Close is also called when the client has hung up.
func (c *guardedConn) Close() error {
	c.gone.Do(func() {
		c.guard.connections.add(c.Conn, -1)
		c.mu.Lock()
		c.closed = true
		if c.counted {
			c.guard.allowances.strangers.Add(-1)
		}
		c.mu.Unlock()
		c.answered.Broadcast()
		c.held.end()
	})
	return c.Conn.Close() //nolint:wrapcheck // net's error says it all
}

// Write writes an answer of kfake's.
func (c *guardedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.mu.Lock()
	c.waiting--
	c.mu.Unlock()
	c.answered.Broadcast()
	return n, err //nolint:wrapcheck // net's error says it all
}

const (
	// requestHeaderBytes are a request's size, kind and version, before its
	// correlation id.
	requestHeaderBytes = 4 + 2 + 2

	// refusalDelay holds back the answer to a token that isn't one.
	refusalDelay = time.Second
)

var errNotKafka = errors.New("not a Kafka request")

func (c *guardedConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(c.pending) == 0 && c.left == 0 {
		if err := c.judge(); err != nil {
			return 0, err
		}
	}
	if len(c.pending) > 0 {
		n := copy(p, c.pending)
		if c.pending = c.pending[n:]; len(c.pending) == 0 {
			c.letGo()
		}
		return n, nil
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err //nolint:wrapcheck // io.EOF must stay io.EOF
}

// judge reads the beginning of the next request, or all of it, and hands it on
// or answers it. An error makes kfake hang up.
func (c *guardedConn) judge() error {
	if _, err := io.ReadFull(c.Conn, c.header[:]); err != nil {
		return err //nolint:wrapcheck // io.EOF must stay io.EOF
	}
	size := int64(binary.BigEndian.Uint32(c.header[:4]))
	kind := int16(binary.BigEndian.Uint16(c.header[4:6]))
	if size < requestHeaderBytes || size > maxRequestBytes || kmsg.RequestForKey(kind) == nil {
		return c.hangUp(malformed, fmt.Errorf("%w: size %d, kind %d", errNotKafka, size, kind))
	}
	c.left = int(size) - (requestHeaderBytes - 4)
	if err := c.know(); err != nil {
		return err
	}
	key := kmsg.Key(kind)
	if most := c.mostBytes(key); size > most {
		return c.hangUp(malformed, fmt.Errorf("%s of %d bytes, where %d are enough", key.Name(), size, most))
	}
	rule, ok := rules[key]
	switch {
	case !ok:
		return c.hangUp(rights, fmt.Errorf("a request that nobody needs here: %s", key.Name()))
	case rule == forLogin && c.guard.cfg.Authenticate != nil:
	case rule == forAll || rule == forLogin:
		return c.pass(c.header[:])
	case c.who == nil:
		return c.hangUp(credentials, errors.New("it doesn't say who it is (SASL PLAIN with a token as password)"))
	case rule == forEverybody || c.who.Own && (rule == forReaders || rule == forMakegood || rule == forCreators) ||
		rule == forCreators && c.who == c.guard.anybody:
		return c.pass(c.header[:])
	case rule == forCreators:
		return c.hangUp(rights, fmt.Errorf("%s may not create topics", c.who.Name))
	case rule == forMakegood:
		return c.hangUp(rights, errors.New(noTransactions))
	}
	return c.judgeWhole(rule)
}

// pass hands a request on, of which so much was read.
func (c *guardedConn) pass(read []byte) error {
	c.pending = read
	c.handOn(1)
	return nil
}

// judgeWhole reads the request to its end before it decides.
func (c *guardedConn) judgeWhole(rule rule) error {
	c.take(int64(c.left))
	if err := c.readWhole(); err != nil {
		c.letGo()
		return err
	}
	err := c.judgeRead(rule)
	if len(c.pending) == 0 {
		c.letGo()
	}
	return err
}

func (c *guardedConn) readWhole() error {
	if c.who != nil && !c.who.Own {
		if err := c.Conn.SetReadDeadline(time.Now().Add(c.guard.cfg.bodyTime)); err != nil {
			return err //nolint:wrapcheck // net's error says it all
		}
	}
	c.whole = slices.Grow(append(c.whole[:0], c.header[:]...), c.left)[:requestHeaderBytes+c.left]
	if _, err := io.ReadFull(c.Conn, c.whole[requestHeaderBytes:]); err != nil {
		return err //nolint:wrapcheck // as above
	}
	c.left = 0
	if c.who == nil {
		return nil // it has still to say who it is
	}
	return c.Conn.SetReadDeadline(time.Time{}) //nolint:wrapcheck // as above
}

// judgeRead decides on a request that was read to its end.
func (c *guardedConn) judgeRead(rule rule) error {
	r, err := readRequest(c.whole)
	if err != nil {
		return c.hangUp(malformed, err)
	}
	switch rule {
	case forLogin:
		return c.login(r)
	case forPrivate:
		if c.who.Own && c.guard.allPrivate(r.body) {
			return c.pass(c.whole)
		}
		fallthrough
	case forNobody:
		c.guard.refused[rights].Add(1)
		c.guard.cfg.Logger.Warn("broker refuses a request", "client", c.RemoteAddr(), "who", c.who.Name, "request",
			kmsg.NameForKey(r.body.Key()))
		return c.answer(r, refusal(r.body))
	case forWriters:
		return c.judgeProduce(r)
	case forProducers:
		return c.judgeInit(r)
	}
	if group, ok := groupOf(r.body); ok && !c.who.Own && slices.Contains(c.guard.cfg.Groups, group) {
		return c.hangUp(rights, fmt.Errorf("the consumer group %q is makegood's own", group))
	}
	if !c.who.Read && !c.who.Own {
		return c.hangUp(rights, fmt.Errorf("%s may not read", c.who.Name))
	}
	if topic := c.guard.privateIn(r.body); topic != "" && !c.who.Own {
		return c.hangUp(rights, fmt.Errorf("topic %s is makegood's own, and not for %s to read", topic, c.who.Name))
	}
	return c.pass(c.whole)
}

// privateIn is the first private topic that a request would read records of;
// empty where there is none.
func (g *guard) privateIn(r kmsg.Request) string {
	fetch, is := r.(*kmsg.FetchRequest)
	if !is || len(g.cfg.Private) == 0 {
		return ""
	}
	for i := range fetch.Topics {
		name := fetch.Topics[i].Topic
		if cluster := g.cfg.cluster.Load(); name == "" && cluster != nil {
			if info := cluster.TopicIDInfo(fetch.Topics[i].TopicID); info != nil {
				name = info.Topic
			}
		}
		if slices.Contains(g.cfg.Private, name) {
			return name
		}
	}
	return ""
}

// allPrivate reports whether a request deletes records of private topics alone: what is in those is copied nowhere, and
// it may have to be deleted.
func (g *guard) allPrivate(r kmsg.Request) bool {
	deletes, is := r.(*kmsg.DeleteRecordsRequest)
	return is && !slices.ContainsFunc(deletes.Topics, func(t kmsg.DeleteRecordsRequestTopic) bool {
		return !slices.Contains(g.cfg.Private, t.Topic)
	})
}

// know finds out who somebody is who needn't say so.
func (c *guardedConn) know() error {
	switch {
	case c.who != nil:
	case c.guard.connections.own(c.Conn):
		return c.is(ourselves)
	case c.guard.cfg.Authenticate == nil:
		return c.is(c.guard.anybody)
	}
	return nil
}

// is notes who it is. From then on it has time.
func (c *guardedConn) is(who *Principal) error {
	if !who.Own && !c.count() {
		return c.hangUp(rights, fmt.Errorf("more than %d connections", mostStrangers))
	}
	c.who = who
	return c.Conn.SetReadDeadline(time.Time{}) //nolint:wrapcheck // net's error says it all
}

// count counts it among the strangers' connections until it is closed, and reports whether there are few enough. A
// connection that the client closed after its header was read isn't counted: Close takes off only what was counted
// before it.
func (c *guardedConn) count() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.counted {
		return true
	}
	c.counted = true
	return c.guard.allowances.strangers.Add(1) <= mostStrangers
}

func (c *guardedConn) hangUp(reason refusedReason, why error) error {
	c.guard.refused[reason].Add(1)
	c.guard.cfg.Logger.Warn("broker hangs up", "client", c.RemoteAddr(), "reason", why)
	return why
}

// handOn counts requests that kfake will answer.
func (c *guardedConn) handOn(n int) {
	c.mu.Lock()
	c.waiting += n
	c.mu.Unlock()
}

// answer answers a request in kfake's place, after those before it.
func (c *guardedConn) answer(r *request, answer kmsg.Response) error {
	if answer == nil {
		return c.hangUp(rights, fmt.Errorf("%s is refused", kmsg.NameForKey(r.body.Key())))
	}
	c.mu.Lock()
	for c.waiting > 0 && !c.closed {
		c.answered.Wait()
	}
	c.mu.Unlock()
	b := binary.BigEndian.AppendUint32(make([]byte, 4), uint32(r.correlation))
	if answer.IsFlexible() {
		b = append(b, 0) // no tags
	}
	b = answer.AppendTo(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	_, err := c.Conn.Write(b)
	return err //nolint:wrapcheck // net's error says it all
}

// login answers a SASL exchange: PLAIN, with the token as password.
func (c *guardedConn) login(r *request) error {
	switch req := r.body.(type) {
	case *kmsg.SASLHandshakeRequest:
		answer := req.ResponseKind().(*kmsg.SASLHandshakeResponse)
		answer.SupportedMechanisms = []string{"PLAIN"}
		switch {
		case req.Version < 1:
			answer.ErrorCode = kerr.UnsupportedVersion.Code // its tokens would come without a frame
		case req.Mechanism != "PLAIN":
			answer.ErrorCode = kerr.UnsupportedSaslMechanism.Code
		}
		return c.answer(r, answer)
	case *kmsg.SASLAuthenticateRequest:
		answer := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		who, err := c.authenticate(req.SASLAuthBytes)
		if err == nil {
			return errors.Join(c.is(who), c.answer(r, answer))
		}
		time.Sleep(refusalDelay)
		why := err.Error()
		answer.ErrorCode, answer.ErrorMessage = kerr.SaslAuthenticationFailed.Code, &why
		return errors.Join(c.answer(r, answer), c.hangUp(credentials, err))
	}
	return c.hangUp(malformed, errNotKafka)
}

// authenticate reads what PLAIN says: an identity that isn't used, a name and
// a password, with a zero byte before each of the last two.
func (c *guardedConn) authenticate(plain []byte) (*Principal, error) {
	parts := splitPlain(plain)
	if parts == nil {
		return nil, errors.New("no SASL PLAIN credentials")
	}
	return c.guard.cfg.Authenticate(parts[2])
}

func splitPlain(b []byte) []string {
	var parts []string
	for start, i := 0, 0; i <= len(b); i++ {
		if i == len(b) || b[i] == 0 {
			parts = append(parts, string(b[start:i]))
			start = i + 1
		}
	}
	if len(parts) != 3 {
		return nil
	}
	return parts
}

// request is one that was read whole.
type request struct {
	correlation int32
	body        kmsg.Request
	at          int // where the body begins in the bytes that were read
}

func readRequest(whole []byte) (*request, error) {
	r := kbin.Reader{Src: whole[4:]}
	kind := r.Int16()
	body := kmsg.RequestForKey(kind)
	if body == nil {
		return nil, fmt.Errorf("%w: there is no kind %d of requests", errNotKafka, kind)
	}
	body.SetVersion(r.Int16())
	q := &request{correlation: r.Int32(), body: body}
	_ = r.NullableString() // the client's id
	if body.IsFlexible() {
		kmsg.SkipTags(&r)
	}
	if !r.Ok() {
		return nil, fmt.Errorf("%w: its header can't be read", errNotKafka)
	}
	q.at = len(whole) - len(r.Src)
	if body.GetVersion() > body.MaxVersion() {
		return nil, fmt.Errorf("%w: %s of version %d", errNotKafka, kmsg.NameForKey(body.Key()), body.GetVersion())
	}
	if err := body.ReadFrom(r.Src); err != nil {
		return nil, fmt.Errorf("%w: %s can't be read: %w", errNotKafka, kmsg.NameForKey(body.Key()), err)
	}
	return q, nil
}
