package embedded

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Strangers must not fill what the broker knows of producers, or use it against each other:
//   - a transaction holds back, for everybody who reads what is committed, all
//     that comes after its first record. One token could stop the books with it,
//     again and again, on any topic: kfake lets everybody. makegood books an
//     event once however often it is sent, so that no producer needs any;
//   - kfake keeps what it knows of a producer id for ever, and gives one to
//     whoever asks. So guard gives them, which costs nothing, and kfake hears
//     only of those that write, up to a bound;
//   - every reader sees the ids of all producers, and one that writes with a
//     higher epoch under another's id shuts that producer out. So an id belongs
//     to its first user.

const (
	batchProducerAt  = 43 // where a record batch has its producer's id, 8 bytes
	batchEpochAt     = 51 // its epoch, 2 bytes
	batchSequenceAt  = 53 // and the number of the first record, 4 bytes
	batchRecordsAt   = 57
	transactionalBit = 1 << 4

	// mostProducers bounds how many producer ids are known: some 40 MB. Records
	// of further ones are taken as if their producers had no ids.
	mostProducers = 50_000
)

// producers are the producer ids that strangers have written with, and whose each is.
type producers struct {
	most int

	mu    sync.Mutex
	owner map[int64]string
}

// claim notes an id as somebody's. It says whether they may use it, and whether it is known at all.
func (p *producers) claim(id int64, name string) (theirs, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	owner, known := p.owner[id]
	if known {
		return owner == name, true
	}
	if len(p.owner) >= p.most {
		return true, false
	}
	p.owner[id] = name
	return true, true
}

const noTransactions = "the embedded broker takes no transactions: an event is booked once however often it is sent"

// judgeInit gives a producer its id, in kfake's place.
func (c *guardedConn) judgeInit(r *request) error {
	req := r.body.(*kmsg.InitProducerIDRequest)
	if c.who.Own {
		return c.pass(c.whole)
	}
	answer := req.ResponseKind().(*kmsg.InitProducerIDResponse)
	answer.ProducerID, answer.ProducerEpoch = rand.Int64(), 0 //nolint:gosec // claim keeps others from using it
	if req.TransactionalID != nil {
		c.guard.refused[rights].Add(1)
		c.guard.cfg.Logger.Warn("broker refuses a request", "client", c.RemoteAddr(), "who", c.who.Name, "reason",
			noTransactions)
		answer.ProducerID, answer.ProducerEpoch = -1, -1
		answer.ErrorCode = kerr.TransactionalIDAuthorizationFailed.Code
	}
	return c.answer(r, answer)
}

// inspectProducer refuses a batch of a transaction, or with another's producer id. It returns another batch in its
// place, without the id, where no further id can be kept.
func (g *guard) inspectProducer(raw []byte, who *Principal) ([]byte, *produceFault) {
	be := binary.BigEndian
	if len(raw) < batchRecordsAt {
		return nil, nil // kfake refuses it
	}
	if be.Uint16(raw[batchAttributesAt:])&transactionalBit != 0 {
		return nil, &produceFault{kerr.TransactionalIDAuthorizationFailed, noTransactions}
	}
	id := int64(be.Uint64(raw[batchProducerAt:]))
	if id < 0 {
		return nil, nil
	}
	theirs, known := g.producers.claim(id, who.Name)
	switch {
	case !theirs:
		return nil, &produceFault{kerr.InvalidProducerIDMapping, fmt.Sprintf("producer id %d is not %s's", id, who.Name)}
	case known:
		return nil, nil
	}
	mended := append([]byte(nil), raw...)
	none := int64(-1)
	be.PutUint64(mended[batchProducerAt:], uint64(none))
	be.PutUint16(mended[batchEpochAt:], ^uint16(0))
	be.PutUint32(mended[batchSequenceAt:], ^uint32(0))
	be.PutUint32(mended[batchCRCAt:], crc32.Checksum(mended[batchAttributesAt:], castagnoli))
	return mended, nil
}
