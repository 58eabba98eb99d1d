package ledger

import (
	"math"
	"strings"

	"github.com/makegood/makegood/domain"
)

// rareColumns say what is said of few events: what they void, what they couldn't be priced with, and what they post
// given the other events of their unit. Their default is nothing.
func rareColumns() []Column {
	all := []Column{
		{"voids_type", low, &Text{
			Get: func(r *Row) string {
				if v := r.void(); v != nil {
					return v.Original.Effective().String()
				}
				return ""
			},
			Set: func(r *Row, v string) {
				if of := domain.ParseType([]byte(v)); of != domain.UnknownType {
					r.Event.Data = &domain.EventVoided{Original: &domain.Event{Type: of}}
				}
			},
		}},
		ofVoid("voids_source", low, func(v *domain.EventVoided) *string { return &v.Source }),
		ofVoid("voids_id", plain, func(v *domain.EventVoided) *string { return &v.ID }),
		{"unpriced", "Array(String)", &List[string]{
			Append: func(r *Row, to []string) []string { return append(to, r.Unpriced...) },
			Make:   func(r *Row, n int) { r.Unpriced = resize(r.Unpriced, n) },
			Put:    func(r *Row, i int, v string) { r.Unpriced[i] = v },
		}},
		text("refused", low, func(r *Row) *string { return &r.Refused }),
		text("token", low, func(r *Row) *string { return &r.Token }),
		{"standing", low, &Text{
			Get: func(r *Row) string { return StandingName(r.Standing) },
			Set: func(r *Row, v string) { r.Standing = standingOf(v) },
		}},
		text("of_source", plain, func(r *Row) *string { return &r.Of.Source }),
		text("of_id", plain, func(r *Row) *string { return &r.Of.ID }),
		text("settled_with", plain, func(r *Row) *string { return &r.With }),
		text("sold_by", low, func(r *Row) *string { return &r.SoldBy }),
		ofOwnLines("line_case", func(l *domain.Line) *string { return &l.Case },
			func(e *domain.Event) string { return e.ErrorID }),
		ofOwnLines("line_currency", func(l *domain.Line) *string { return &l.Currency },
			func(e *domain.Event) string { return e.Currency }),
		ofOwnLines("line_store", func(l *domain.Line) *string { return &l.Store },
			func(e *domain.Event) string { return e.StoreID }),
		ofOwnLines("line_order", func(l *domain.Line) *string { return &l.Order },
			func(*domain.Event) string { return "" }),
	}
	for i, field := range factFields {
		all = append(all, Column{"fact_" + field.name, "Array(String)", &List[string]{
			Append: func(r *Row, to []string) []string {
				for k := range r.Facts {
					to = append(to, field.get(&r.Facts[k]))
				}
				return to
			},
			Make: func(r *Row, n int) {
				if i == 0 {
					r.Facts = make([]domain.CaseFacts, n)
				}
			},
			Put: func(r *Row, k int, v string) { field.set(&r.Facts[k], v) },
		}})
	}
	return append(all,
		ofFlags("flag_code", func(f *domain.Flag) *string { return &f.Code }),
		ofFlags("flag_case", func(f *domain.Flag) *string { return &f.Case }),
		ofFlags("flag_currency", func(f *domain.Flag) *string { return &f.Currency }),
		Column{"flag_amount", "Array(Decimal(18, 4))", &List[domain.Amount]{
			Append: func(r *Row, to []domain.Amount) []domain.Amount {
				for k := range r.Flags {
					to = append(to, r.Flags[k].Amount)
				}
				return to
			},
			Make: func(*Row, int) {}, // flag_code makes the flags
			Put:  func(r *Row, k int, v domain.Amount) { r.Flags[k].Amount = v },
		}})
}

// StandingName is how the books write a standing: nothing where the event counts.
func StandingName(s domain.Standing) string {
	if s == domain.Counts {
		return ""
	}
	return s.String()
}

func standingOf(name string) domain.Standing {
	if name == "" {
		return domain.Counts
	}
	for i, s := range domain.Standings() {
		if s == name {
			return domain.Standing(i)
		}
	}
	return domain.Standing(math.MaxUint8) // nobody's word: whoever settles the unit writes it again
}

// ownLines reports whether a line is of another case, currency, store or order than the event.
func (r *Row) ownLines() bool {
	for i := range r.Lines {
		l := &r.Lines[i]
		if l.Currency != "" && (l.Case != r.Event.ErrorID || l.Currency != r.Event.Currency || l.Store != r.Event.StoreID ||
			l.Order != "") {
			return true
		}
	}
	return false
}

// ofOwnLines is a list of what each line says itself; empty where all lines are the event's own.
func ofOwnLines(name string, field func(*domain.Line) *string, of func(*domain.Event) string) Column {
	return Column{name, "Array(String)", &List[string]{
		Append: func(r *Row, to []string) []string {
			own := r.ownLines()
			for i := 0; own && i < len(r.Lines); i++ {
				to = append(to, *field(&r.Lines[i]))
			}
			return to
		},
		Make: func(r *Row, n int) {
			for i := 0; n == 0 && i < len(r.Lines); i++ {
				*field(&r.Lines[i]) = of(r.Event)
			}
		},
		Put: func(r *Row, i int, v string) {
			if i < len(r.Lines) { // more of them than lines is nothing that makegood wrote
				*field(&r.Lines[i]) = v
			}
		},
	}}
}

func ofFlags(name string, field func(*domain.Flag) *string) Column {
	return Column{name, "Array(String)", &List[string]{
		Append: func(r *Row, to []string) []string {
			for k := range r.Flags {
				to = append(to, *field(&r.Flags[k]))
			}
			return to
		},
		Make: func(r *Row, n int) {
			if name == "flag_code" {
				r.Flags = make([]domain.Flag, n)
			}
		},
		Put: func(r *Row, k int, v string) { *field(&r.Flags[k]) = v },
	}}
}

// factFields are the fields of what is known of a case, as the books write them.
var factFields = []struct {
	name string
	get  func(*domain.CaseFacts) string
	set  func(*domain.CaseFacts, string)
}{
	factText("case", func(f *domain.CaseFacts) *string { return &f.Case }),
	factText("kind", func(f *domain.CaseFacts) *string { return &f.Kind }),
	factText("root_cause", func(f *domain.CaseFacts) *string { return &f.RootCause }),
	factText("party", func(f *domain.CaseFacts) *string { return &f.PartyAtFault }),
	factText("vendor", func(f *domain.CaseFacts) *string { return &f.VendorID }),
	factText("employee", func(f *domain.CaseFacts) *string { return &f.EmployeeID }),
	factText("severity", func(f *domain.CaseFacts) *string { return &f.Severity }),
	{"avoidable", func(f *domain.CaseFacts) string { return [...]string{"", "true", "false"}[f.Avoidable] },
		func(f *domain.CaseFacts, v string) {
			f.Avoidable = map[string]domain.Truth{"true": domain.Yes, "false": domain.No}[v]
		}},
	factIs("category", "internal", "external", func(f *domain.CaseFacts) *bool { return &f.Internal }),
	factIs("founded", "yes", "no", func(f *domain.CaseFacts) *bool { return &f.Founded }),
	{"reported", func(f *domain.CaseFacts) string {
		switch {
		case f.Gone:
			return goneCase
		case f.Reported:
			return "yes"
		}
		return "no"
	}, func(f *domain.CaseFacts, v string) { f.Reported, f.Gone = v == "yes", v == goneCase }},
	factText("same_as", func(f *domain.CaseFacts) *string { return &f.SameAs }),
	factText("order", func(f *domain.CaseFacts) *string { return &f.Order }),
}

// goneCase is what the books write of a case, in place of whether it was reported, where nothing makes it one any more.
const goneCase = "gone"

type factField = struct {
	name string
	get  func(*domain.CaseFacts) string
	set  func(*domain.CaseFacts, string)
}

func factText(name string, field func(*domain.CaseFacts) *string) factField {
	return factField{name, func(f *domain.CaseFacts) string { return *field(f) },
		func(f *domain.CaseFacts, v string) { *field(f) = v }}
}

func factIs(name, yes, no string, field func(*domain.CaseFacts) *bool) factField {
	return factField{name, func(f *domain.CaseFacts) string {
		if *field(f) {
			return yes
		}
		return no
	}, func(f *domain.CaseFacts, v string) { *field(f) = v == yes }}
}

// Everyday reports whether the row says nothing in the rare columns.
func (r *Row) Everyday() bool {
	return r.Standing == domain.Counts && r.Of == domain.Identity{} && r.With == "" && r.SoldBy == "" && r.Refused == "" &&
		r.Token == "" && len(r.Unpriced)+len(r.Facts)+len(r.Flags) == 0 && r.void() == nil && !r.ownLines()
}

// Group is a column of the table, a list of tuples, whose members are columns to the readers: lists of the same length.
// One list of tuples costs a table of rows without any a fraction of what as many lists cost.
type Group struct {
	Name    string
	Members []int // their places in Columns
}

// Groups are those of the ledger. A member's column is named after the group's prefix and the member.
var Groups = func() []Group {
	var all []Group
	for _, g := range []struct{ name, prefix string }{{"own_lines", "line_"}, {"facts", "fact_"}, {"flags", "flag_"}} {
		group := Group{Name: g.name}
		for i, c := range Columns {
			if strings.HasPrefix(c.Name, g.prefix) {
				group.Members = append(group.Members, i)
			}
		}
		all = append(all, group)
	}
	return all
}()

// Type is the column's type, as system.columns has it.
func (g Group) Type() string {
	members := make([]string, len(g.Members))
	for i, of := range g.Members {
		c := Columns[of]
		_, name, _ := strings.Cut(c.Name, "_")
		members[i] = name + " " + strings.TrimSuffix(strings.TrimPrefix(c.Type, "Array("), ")")
	}
	return "Array(Tuple(" + strings.Join(members, ", ") + "))"
}
