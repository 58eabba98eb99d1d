package wire

import (
	"slices"

	iso "golang.org/x/text/currency"
)

// newerCurrencies are the codes of ISO 4217 that x/text's tables (CLDR 32) are too old for.
var newerCurrencies = []string{
	"MRU", // Mauritanian ouguiya, 2017
	"SLE", // Sierra Leonean leone, 2022
	"STN", // São Tomé and Príncipe dobra, 2018
	"UYW", // Uruguayan unidad previsional, 2018
	"VED", // Venezuelan bolívar digital, 2021
	"VES", // Venezuelan bolívar soberano, 2018
	"XAD", // Arab Accounting Dinar, 2024
	"XCG", // Caribbean guilder, 2025
	"ZWG", // Zimbabwe Gold, 2024
}

// notCurrencies are in those tables and can't be what something was paid in: CLDR's own code for the offshore renminbi,
// and ISO's for "no currency".
var notCurrencies = []string{"CNH", "XXX"}

func (d *Decoder) checkCurrency(s string) {
	if s == string(d.lastCurrency[:]) {
		return // what a till's events nearly always do
	}
	if !IsCurrency(s) {
		d.fail(CodeBadCurrency, "%s is no currency code of ISO 4217, such as EUR", quote(s))
		return
	}
	copy(d.lastCurrency[:], s)
}

// IsCurrency says whether s is a code that an event may have.
func IsCurrency(s string) bool {
	if len(s) != 3 {
		return false
	}
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	if slices.Contains(newerCurrencies, s) {
		return true
	}
	_, err := iso.ParseISO(s)
	return err == nil && !slices.Contains(notCurrencies, s)
}
