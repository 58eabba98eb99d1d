package audit

import (
	"context"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/ledger"
)

// Verification holds closed months against their seals: what the ledger holds of them now, and what the log holds.
type Verification struct {
	At         time.Time   `json:"at"`
	Seals      []SealCheck `json:"seals"`      // in the order in which the months were closed
	Records    uint64      `json:"records"`    // of the log that were read
	Deviations []Deviation `json:"deviations"` // at most MaxDifferences
	Found      uint64      `json:"found"`      // how many there are
}

// SealCheck is a close, its seal, and what the books make of it now.
type SealCheck struct {
	Period   string    `json:"period"`
	Close    int       `json:"close"` // which of the month's closes; 1 is the first
	ClosedAt time.Time `json:"closed_at"`
	Seal     *SealSaid `json:"seal"`     // null where the close isn't sealed yet
	Events   int64     `json:"events"`   // that the ledger holds of it now
	Root     string    `json:"root"`     // that they make
	Verified bool      `json:"verified"` // nothing of this close deviates, in the ledger, in the log or in the chain
}

// SealSaid is a seal as the books stream has it.
type SealSaid struct {
	Close    int64     `json:"close"`
	Events   int64     `json:"events"`
	Root     string    `json:"root"`     // SHA-256 in hexadecimal digits, as all of them
	Previous string    `json:"previous"` // the hash of the seal before; empty in the first
	Hash     string    `json:"hash"`     // of this seal
	SealedAt time.Time `json:"sealed_at"`
}

// SaidOf is how a seal is shown.
func SaidOf(s *domain.Seal) *SealSaid {
	return &SealSaid{Close: s.Close, Events: s.Events, Root: s.Root, Previous: s.Previous, Hash: s.Hash(),
		SealedAt: s.Mark.Time.UTC()}
}

// Deviation is one thing that is not as it was sealed, or not as the log has it.
type Deviation struct {
	Code     string `json:"code"` // see DeviationCodes
	Period   string `json:"period"`
	Close    int    `json:"close"`
	Source   string `json:"source,omitempty"` // of the event, as its id
	ID       string `json:"id,omitempty"`
	OrderID  string `json:"order_id,omitempty"`
	ErrorID  string `json:"error_id,omitempty"`
	Place    string `json:"place,omitempty"`    // stream/partition@offset
	Expected string `json:"expected,omitempty"` // as sealed, or as the log has it
	Actual   string `json:"actual,omitempty"`
}

// The codes of deviations.
const (
	EventChanged   = "event_changed"
	EntryChanged   = "entry_changed"
	EventMissing   = "event_missing"
	EventAdded     = "event_added"
	RootDiffers    = "root_differs"
	KeptDiffers    = "kept_root_differs"
	ListChanged    = "list_changed"
	ChainBroken    = "chain_broken"
	NotSealed      = "not_sealed"
	FormatUnknown  = "format_unknown"
	RecordDiffers  = "record_differs"
	RecordGone     = "record_gone"
	RecordUnbooked = "record_unbooked"
	MomentDiffers  = "moment_differs"
	SettledOther   = "settled_otherwise"
)

// DeviationCode is a code with the sentence that explains it.
type DeviationCode struct{ Code, Means string }

// DeviationCodes lists every code of a Deviation.
func DeviationCodes() []DeviationCode {
	return []DeviationCode{
		{RootDiffers, "What the ledger holds of the month makes another root than the seal's."},
		{KeptDiffers, "What the ledger holds of the month makes another root than the one that was kept."},
		{EntryChanged, "What the event posted is not what it had posted when the month was sealed."},
		{EventChanged, "What the event says, or where it belongs, is not what it was when the month was sealed."},
		{EventMissing, "The event was sealed, and the ledger doesn't hold it in the month any more."},
		{EventAdded, "The event stands in the month now, and was not sealed."},
		{ListChanged, "The list of the sealed events is gone or was changed: the ledger alone can't say which event is " +
			"another one. What the log says is named."},
		{ChainBroken, "The seal doesn't name the hash of the seal before it: a seal was changed, left out or put in."},
		{NotSealed, "The close has no seal yet, so nothing proves what the month held."},
		{FormatUnknown, "The seal is of a format that this version doesn't know."},
		{RecordDiffers, "The log's record of the event says something else than the ledger's row."},
		{RecordGone, "The log holds no record where the ledger's row says that it comes from."},
		{RecordUnbooked, "The log holds an event of the month that is neither in the ledger nor a dead letter."},
		{MomentDiffers, "The ledger says another moment of recording than the log."},
		{SettledOther, "What the ledger says of the event is not what the events of its order or case make of it: " +
			"whether it counts, its case, what can't be right, which rate it lacks."},
	}
}

// Sealable is a close to be verified.
type Sealable struct {
	domain.Numbered
	Seal     *domain.Seal // nil: it has none
	Previous string       // the hash of the seal of the close before; empty for the first close
	Kept     string       // a root that somebody kept; empty: none
	Last     bool         // of the month's closes
}

// VerifyAgainst is what is verified, and the log.
type VerifyAgainst struct {
	Closes     []Sealable
	Partitions []LogPartition // none: the log isn't read
	// Place fills in when and where the books hold an event: see ledger.Row.Place.
	Place func(*ledger.Row)
	// Otherwise settles units again and gives the rows that the ledger has otherwise: see post.Terms. Nil: none are.
	Otherwise func(ctx context.Context, orders, cases []string) ([]*ledger.Row, error)
	Now       time.Time
}

// Verify computes each seal again and names what deviates. It reads the ledger once a close, and all of the log once.
func Verify(ctx context.Context, db driver.Conn, decode ledger.Decode, with VerifyAgainst) (*Verification, error) {
	v := &Verification{At: with.Now.UTC(), Seals: []SealCheck{}, Deviations: []Deviation{}}
	for i := range with.Closes {
		c := &with.Closes[i]
		check := SealCheck{Period: c.Period.String(), Close: c.Number, ClosedAt: c.Mark.Time.UTC(), Verified: true}
		if c.Seal != nil {
			check.Seal = SaidOf(c.Seal)
		}
		v.Seals = append(v.Seals, check)
		if err := v.compareSeal(ctx, db, c, &v.Seals[i]); err != nil {
			return nil, err
		}
	}
	if len(with.Partitions) > 0 {
		if err := v.compareLog(ctx, db, decode, &with); err != nil {
			return nil, err
		}
	}
	if with.Otherwise != nil {
		if err := v.compareUnits(ctx, db, &with); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// Clean says that all that was asked for is sealed, and nothing deviates.
func (v *Verification) Clean() bool { return v.Found == 0 }

// deviate notes a deviation. That of a month's last close speaks for the close.
func (v *Verification) deviate(d Deviation) {
	for i := range v.Seals {
		if v.Seals[i].Period == d.Period && v.Seals[i].Close == d.Close {
			v.Seals[i].Verified = false
		}
	}
	if v.Found++; v.Found <= MaxDifferences {
		v.Deviations = append(v.Deviations, d)
	}
}

// compareSeal makes the root of a close again, and where it is another one, looks for the events.
func (v *Verification) compareSeal(ctx context.Context, db driver.Conn, c *Sealable, check *SealCheck) error {
	of := Deviation{Period: check.Period, Close: check.Close}
	with := func(code, expected, actual string) Deviation {
		d := of
		d.Code, d.Expected, d.Actual = code, expected, actual
		return d
	}
	now := fromLedger(c.Period, &c.Mark)
	root, err := now.root(ctx, db)
	if err != nil {
		return err
	}
	check.Events, check.Root = root.Events, root.Hash
	if c.Kept != "" && !strings.EqualFold(c.Kept, root.Hash) {
		v.deviate(with(KeptDiffers, strings.ToLower(c.Kept), root.Hash))
	}
	switch {
	case c.Seal == nil:
		v.deviate(with(NotSealed, "", ""))
		return nil
	case c.Seal.Format != domain.SealFormat:
		v.deviate(with(FormatUnknown, "", ""))
		return nil
	case c.Seal.Previous != c.Previous:
		v.deviate(with(ChainBroken, c.Previous, c.Seal.Previous))
	}
	if root.Hash == c.Seal.Root && root.Events == c.Seal.Events {
		return nil
	}
	v.deviate(with(RootDiffers, c.Seal.Root, root.Hash))
	list := fromList(c.Seal.Root)
	if listed, err := list.root(ctx, db); err != nil {
		return err
	} else if listed.Hash != c.Seal.Root {
		v.deviate(with(ListChanged, c.Seal.Root, listed.Hash))
		return nil
	}
	return v.compareEvents(ctx, db, of, list, now)
}

// compareEvents names each event that is not as it was sealed: it goes through both lists side by side.
func (v *Verification) compareEvents(ctx context.Context, db driver.Conn, of Deviation, sealed, now sealedFrom) error {
	was, err := sealed.open(ctx, db)
	if err != nil {
		return err
	}
	defer was.rows.Close()
	is, err := now.open(ctx, db)
	if err != nil {
		return err
	}
	defer is.rows.Close()
	name := func(code string, r *sealedRow) {
		d := of
		d.Code, d.Source, d.ID, d.OrderID, d.ErrorID, d.Place = code, r.source, r.id, r.order, r.errorID, r.place()
		v.deviate(d)
	}
	for was.row != nil || is.row != nil {
		order := 0
		switch {
		case was.row == nil:
			order = 1
		case is.row == nil:
			order = -1
		default:
			order = was.row.compare(is.row)
		}
		switch {
		case order < 0:
			name(EventMissing, was.row)
		case order > 0:
			name(EventAdded, is.row)
		default:
			if was.row.said != is.row.said {
				name(EventChanged, was.row)
			}
			if was.row.posted != is.row.posted {
				name(EntryChanged, was.row)
			}
		}
		if order <= 0 {
			if err := was.next(); err != nil {
				return err
			}
		}
		if order >= 0 {
			if err := is.next(); err != nil {
				return err
			}
		}
	}
	return nil
}
