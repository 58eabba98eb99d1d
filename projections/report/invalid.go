package report

import (
	"fmt"
	"strings"
)

// Invalid says what is wrong with a question: by a code and by what it is about, for machines. Whoever tells people
// finds the words in Words, with the names that the parameters have where the question was asked.
type Invalid struct {
	Code      string   // one of the codes below; never renamed
	Parameter string   // as the question names it; empty where it is about none, or about several
	Value     string   // what was given
	Of        []string // what may be given, or the bounds of that
}

// The codes of what can be wrong with a question.
const (
	NotOneOf          = "not_one_of"
	Twice             = "twice"       // a value, in a list
	GivenTwice        = "given_twice" // a parameter
	UnknownParameter  = "unknown_parameter"
	Unreadable        = "unreadable" // the parameters as a whole
	NotADay           = "not_a_day"
	BeyondTheDays     = "beyond_the_days" // that the books know
	EmptySpan         = "empty_span"      // from isn't before to
	DayWanted         = "day_wanted"
	SpanWanted        = "span_wanted" // the parameter wants from and to
	NotWholeMonths    = "not_whole_months"
	NotPosting        = "not_posting"  // final entries are those of posting periods
	NotAMoment        = "not_a_moment" // neither a time nor a close
	NotATime          = "not_a_time"   // neither a day nor a time
	NotACurrency      = "not_a_currency"
	NotAFlag          = "not_a_flag"
	NotADelay         = "not_a_delay" // days between Of[0] and Of[1]
	StoreOrVendor     = "store_or_vendor"
	CurrencyWanted    = "currency_wanted" // of payouts
	Negative          = "negative"
	CloseWanted       = "close_wanted"
	NotAClose         = "not_a_close" // neither YYYY-MM nor YYYY-MM/N; Of[0] says why
	NeverClosed       = "never_closed"
	ClosedLessOften   = "closed_less_often" // Of[0] times
	TooLong           = "too_long"          // Value characters, and Of[0] are taken
	ControlCharacters = "control_characters"
	NotADigest        = "not_a_digest"
	Wanted            = "wanted" // the parameter that Value names
	NotAPrice         = "not_a_price"
	TooManyRows       = "too_many_rows" // Value rows, and a PDF has Of[0] at most
)

// words are what the codes mean: name gives the parameters their names, with a value where one is meant.
var words = map[string]func(e *Invalid, name func(parameter, value string) string) string{
	NotOneOf: func(e *Invalid, _ func(string, string) string) string {
		return fmt.Sprintf("%q is none of %s", e.Value, strings.Join(e.Of, ", "))
	},
	Twice: quoted("stands twice"),
	GivenTwice: func(e *Invalid, _ func(string, string) string) string {
		return fmt.Sprintf("%q stands twice",
			e.Value)
	},
	UnknownParameter: quoted("is no parameter of this report"),
	Unreadable: func(e *Invalid, _ func(string, string) string) string {
		return "the parameters can't be read: " + e.Value
	},
	NotADay: quoted("is no day of the form YYYY-MM-DD"),
	BeyondTheDays: func(e *Invalid, _ func(string, string) string) string {
		return fmt.Sprintf("the books know days from %s to %s", e.Of[0], e.Of[1])
	},
	EmptySpan: func(_ *Invalid, name func(string, string) string) string {
		return name("from", "") + " must be before " + name("to", "")
	},
	DayWanted: func(e *Invalid, name func(string, string) string) string {
		return name(e.Value, "") + " is wanted, a day of the form YYYY-MM-DD"
	},
	SpanWanted: func(_ *Invalid, name func(string, string) string) string {
		return name("from", "") + " and " + name("to", "") + " are wanted"
	},
	NotWholeMonths: func(_ *Invalid, name func(string, string) string) string {
		return name("from", "") + " and " + name("to", "") +
			" must be the first days of months, since months are what is closed"
	},
	NotPosting: func(_ *Invalid, name func(string, string) string) string {
		return "what is posted in a closed month never changes, what happened in it does: ask with " + name("period_by",
			"posting")
	},
	NotAMoment:   quoted("is neither a time (RFC 3339) nor close:YYYY-MM"),
	NotATime:     quoted("is neither a day, YYYY-MM-DD, nor a time (RFC 3339)"),
	NotACurrency: quoted("is no code of ISO 4217"),
	NotAFlag:     quoted("is neither true nor false"),
	NotADelay: func(e *Invalid, _ func(string, string) string) string {
		return fmt.Sprintf("%q is no number of days from %s to %s", e.Value, e.Of[0], e.Of[1])
	},
	StoreOrVendor:  plainly("a statement is of one store or of one vendor"),
	CurrencyWanted: plainly("payouts are of one currency, and it must be said which"),
	Negative:       func(e *Invalid, _ func(string, string) string) string { return e.Value + " rows are none" },
	CloseWanted:    plainly("the month is missing, YYYY-MM, or YYYY-MM/N for its Nth close"),
	NotAClose:      func(e *Invalid, _ func(string, string) string) string { return e.Of[0] },
	NeverClosed:    func(e *Invalid, _ func(string, string) string) string { return e.Value + " was never closed" },
	ClosedLessOften: func(e *Invalid, _ func(string, string) string) string {
		month, _, _ := strings.Cut(e.Value, "/")
		return fmt.Sprintf("%s was closed %s times, so there is no %s", month, e.Of[0], e.Value)
	},
	TooLong: func(e *Invalid, _ func(string, string) string) string {
		return fmt.Sprintf("%s characters, and at most %s are taken", e.Value, e.Of[0])
	},
	TooManyRows: func(e *Invalid, name func(string, string) string) string {
		return fmt.Sprintf("a PDF has at most %s rows, and this would have %s: ask for %s, or for fewer days", e.Of[0],
			e.Value, name("format", "csv"))
	},
	NotADigest: quoted("is no SHA-256: 64 hexadecimal digits"),
	NotAPrice:  quoted("is no price above 0 of at most 6 decimals"),
	Wanted: func(e *Invalid, name func(string, string) string) string {
		return name(e.Value, "") + " is wanted"
	},
	ControlCharacters: plainly("a name has no control characters"),
}

func quoted(is string) func(*Invalid, func(string, string) string) string {
	return func(e *Invalid, _ func(string, string) string) string { return fmt.Sprintf("%q %s", e.Value, is) }
}

func plainly(text string) func(*Invalid, func(string, string) string) string {
	return func(*Invalid, func(string, string) string) string { return text }
}

// Words says it to people. name is what a parameter is called where they asked, with a value where one is meant.
func (e *Invalid) Words(name func(parameter, value string) string) string {
	say, known := words[e.Code]
	if !known { // of a newer version
		say = quoted(e.Code)
	}
	text := say(e, name)
	if e.Parameter != "" {
		text = name(e.Parameter, "") + ": " + text
	}
	return text
}

// Error is Words with the names that the questions themselves have.
func (e *Invalid) Error() string {
	return e.Words(func(parameter, value string) string {
		if value != "" {
			return parameter + "=" + value
		}
		return parameter
	})
}

// oneOf refuses what is none of the values.
func oneOf(parameter, value string, of ...string) error {
	for _, v := range of {
		if v == value {
			return nil
		}
	}
	return &Invalid{Code: NotOneOf, Parameter: parameter, Value: value, Of: of}
}
