// Package people replaces the ids of customers and employees by keyed hashes, so that what is stored tells that two
// events are of one person, and not of which.
//
// # The hash
//
// HMAC-SHA-256 (RFC 2104) of the role, a zero byte and the id, cut to its first 128 bits, in base32: p-KEY-HASH,
// where KEY names the key. A plain hash would not do: ids are short, and whoever has a list of them could hash them
// all. A customer and an employee of the same id have different hashes.
//
// # The key file
//
// One line a key: its name, the moment from which events are hashed with it, and 256 random bits in hexadecimal. It
// is made on the first start, readable by its owner alone. Every process that takes events in or books them needs
// the same file. It is read again when it changes.
//
// # Rotation
//
// The key of an event is that of the event's own time, not of the clock: so the same event sent again, however
// late, is hashed alike and is no conflict. A new key begins in the future, by when every process has read it. The
// keys before it stay in the file, which is the overlap: late events are hashed with them, and people are found
// under them. To destroy a key ends that: nobody can tell any more whose the hashes are that were made with it. Its
// name stays, so that its hashes are known for what they are, and events of its time are hashed with the key after
// it.
package people
