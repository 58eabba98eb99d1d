// Package deadletter keeps the records that could not be booked: as they came, with the reason, until a person sends
// them again or discards them.
//
// The same bytes sent again are the same dead letter, seen again. Written twice it is kept once. Reading the open ones
// costs a scan of all dead letters, which are few.
package deadletter
