package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// The codes of an Error. They are part of what senders rely on: a code is never renamed, and its meaning never widened.
//
//	code                 meaning
//	bad_json             not JSON, or not a JSON object, or bytes after its end
//	bad_utf8             not UTF-8, or half a surrogate pair
//	too_deep             nested deeper than MaxDepth, or voids of voids more than MaxVoids deep
//	event_too_large      more than MaxEvent bytes
//	duplicate_member     two members of one object share a name
//	required             missing, null or empty, and the contract wants it
//	wrong_type           another kind of JSON value than the contract says
//	bad_attribute        an envelope attribute that CloudEvents doesn't allow: data_base64, an object as an extension
//	bad_content_type     data that isn't JSON in UTF-8, or a content mode that the transport doesn't have
//	unknown_specversion  a CloudEvents version other than 1.0
//	unknown_type         a type or version of event that the contract doesn't have
//	too_short            an id of no characters
//	too_long             an id of more than 128 characters, a source of more than 1024
//	control_character    an id with a control character
//	bad_uri              a source that is no URI-reference
//	bad_time             not RFC 3339 (or a date where one is allowed), or outside 1970 to 2148; of an exchange rate,
//	                     within a day
//	bad_period           not YYYY-MM, or outside 1970 to 2148
//	bad_currency         no currency of ISO 4217, in capitals, or one translated into itself
//	not_a_number         neither a JSON number nor a decimal string
//	too_many_decimals    more digits after the point than the contract allows; more is an error, never a rounding
//	negative             below zero: what takes an amount back is an event.voided
//	too_large            above 1,000,000,000,000
//	out_of_range         outside what this member may be: a rating of 1 to 5, a fraction of 0 to 1, at least one stop, an
//	                     exchange rate above 0
//	unknown_value        none of the words that the contract lists
//	empty_list           a list that needs a line and has none
//	not_allowed          a member that has no place beside another: a cost of a line that isn't goods
//	discount_above_line  a discount of more than its line's price
//	tenders_mismatch     tenders that don't sum to the order's total
//	subject_mismatch     subject isn't the order_id (or the error_id of a case without an order)
//	void_mismatch        a void that says something else than the event in its original
//	not_voidable         a void of something that has its own way back
const (
	CodeBadJSON            = "bad_json"
	CodeBadUTF8            = "bad_utf8"
	CodeTooDeep            = "too_deep"
	CodeEventTooLarge      = "event_too_large"
	CodeDuplicateMember    = "duplicate_member"
	CodeRequired           = "required"
	CodeWrongType          = "wrong_type"
	CodeBadAttribute       = "bad_attribute"
	CodeBadContentType     = "bad_content_type"
	CodeUnknownSpecVersion = "unknown_specversion"
	CodeUnknownType        = "unknown_type"
	CodeTooShort           = "too_short"
	CodeTooLong            = "too_long"
	CodeControlCharacter   = "control_character"
	CodeBadURI             = "bad_uri"
	CodeBadTime            = "bad_time"
	CodeBadPeriod          = "bad_period"
	CodeBadCurrency        = "bad_currency"
	CodeNotANumber         = "not_a_number"
	CodeTooManyDecimals    = "too_many_decimals"
	CodeNegative           = "negative"
	CodeTooLarge           = "too_large"
	CodeOutOfRange         = "out_of_range"
	CodeUnknownValue       = "unknown_value"
	CodeEmptyList          = "empty_list"
	CodeNotAllowed         = "not_allowed"
	CodeDiscountAboveLine  = "discount_above_line"
	CodeTendersMismatch    = "tenders_mismatch"
	CodeSubjectMismatch    = "subject_mismatch"
	CodeVoidMismatch       = "void_mismatch"
	CodeNotVoidable        = "not_voidable"
)

// Error says why an event was refused, and where. It owns its strings.
type Error struct {
	Pointer string // RFC 6901, into the structured form of the event, also where it came in binary mode
	// Named is Pointer. Where people are hidden, it has * for each member that the contract doesn't have: its name may say
	// something of people.
	Named  string
	Code   string // one of the Code constants
	Detail string // for people

	// NotCloudEvent: it isn't even a CloudEvent. It is no JSON object, or lacks specversion, id, source or type.
	NotCloudEvent bool

	// Source and ID are the event's identity as far as it could be read, for whoever looks for a dead letter.
	Source, ID string
}

func (e *Error) Error() string {
	if e.Pointer == "" {
		return e.Code + ": " + e.Detail
	}
	return e.Pointer + ": " + e.Code + ": " + e.Detail
}

// step is one step of the way to a value: a member's name, or where index isn't negative a place in a list.
type step struct {
	name  string
	index int
}

func (d *Decoder) push(name string)    { d.path = append(d.path, step{name, -1}) }
func (d *Decoder) pushIndex(index int) { d.path = append(d.path, step{"", index}) }
func (d *Decoder) pop()                { d.path = d.path[:len(d.path)-1] }

// fail notes the first thing that is wrong, at the value that is being read.
func (d *Decoder) fail(code, format string, args ...any) {
	if d.err != nil {
		return
	}
	d.err = &Error{Pointer: d.pointer(false), Named: d.pointer(d.Privacy != nil), Code: code,
		Detail: fmt.Sprintf(format, args...)}
}

// failAt is fail, for a member of the object that is being read.
func (d *Decoder) failAt(member, code, format string, args ...any) {
	d.push(member)
	d.fail(code, format, args...)
	d.pop()
}

// pointer is the way to the value that is being read. hide puts * where the contract doesn't have a name.
func (d *Decoder) pointer(hide bool) string {
	var b strings.Builder
	for _, s := range d.path {
		b.WriteByte('/')
		if s.index >= 0 {
			b.WriteString(strconv.Itoa(s.index))
			continue
		}
		if hide && knownMembers()[s.name] == 0 && !texts[s.name] {
			b.WriteByte('*')
			continue
		}
		_, _ = pointerEscapes.WriteString(&b, s.name)
	}
	return b.String()
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// quote shows a sender what they sent, cut short.
func quote(s string) string {
	const most = 64
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}
