package ledger

// Ref names what a void takes back: an event of an order.
type Ref struct{ Order, Source, ID string }
