// Package generalledger writes makegood's journal in the forms that accounting systems read, with the company's own
// account codes: JSON, CSV, XLSX, and the CSV of QuickBooks Online's import of journal entries.
//
// Amounts come in as digits and go out as digits. Nothing here computes.
package generalledger
