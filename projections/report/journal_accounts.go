package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Code is an account in the company's own general ledger.
type Code struct {
	Code string
	Name string // empty: the name in makegood's chart
}

// UnmappedAccountsError lists the accounts of a journal that the company's mapping doesn't know.
type UnmappedAccountsError struct{ Accounts []string }

func (e *UnmappedAccountsError) Error() string {
	return "no code of the general ledger is given for " + strings.Join(e.Accounts, ", ")
}

// MapAccounts puts the company's codes in place of makegood's account numbers, and seals the batch again. Memo entries,
// which are never posted, keep their numbers where there is no code.
func (j *Journal) MapAccounts(codes map[string]Code) error {
	missing := map[string]bool{}
	each := func(entries []JournalEntry, do func(*JournalLine)) {
		for i := range entries {
			for k := range entries[i].Lines {
				do(&entries[i].Lines[k])
			}
		}
	}
	each(j.Entries, func(l *JournalLine) {
		if _, ok := codes[l.Account]; !ok {
			missing[fmt.Sprintf("%s (%s)", l.Account, l.Name)] = true
		}
	})
	if len(missing) > 0 {
		return &UnmappedAccountsError{slices.Sorted(maps.Keys(missing))}
	}
	mapped := func(l *JournalLine) {
		if c, ok := codes[l.Account]; ok {
			l.Chart, l.Account = l.Account, c.Code
			if c.Name != "" {
				l.Name = c.Name
			}
		}
	}
	each(j.Entries, mapped)
	each(j.Memo, mapped)
	j.Seal()
	return nil
}
