// Package shadow says what a rebuild is: its record (state, who asked, how far it is), its report (what it would
// change), and the tables that stand in for the books while it is computed. Package rebuild fills them, package post
// makes them part of the books.
//
// It promises that nobody reads a shadow before it is part of the books, and that each rebuild's tables have names of
// their own. A shadow holds only rows that change, so mostly it costs little space.
package shadow
