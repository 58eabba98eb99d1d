// Package generalledger writes entries as files that accounting systems import: CSV, XLSX, JSON, and QuickBooks' CSV.
//
// What it promises: every entry in a file balances, every digit of an amount is kept (decimal text, never a float),
// imputed amounts are apart from booked ones (memo), and control totals by currency show a file that was cut short.
// Nothing in a file is run as a formula by a spreadsheet. The same entries have the same batch id.
// An account without a code of the general ledger is an error that names all such accounts.
//
// What it costs: the file is built in memory. Nothing is computed here: amounts come in and go out as digits.
package generalledger
