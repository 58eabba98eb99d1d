// Package pipe brings what tills send into the books: it keeps each body as it came, and makes events of it later.
//
// # The way of a body
//
// Whoever takes a body in (the gateway for a webhook, Copy for somebody else's Kafka topic) makes it a record of the
// topic makegood.tills: Record. That is durable before the sender is answered. A Mapper, in a watermill Router, reads
// the records, has the till's mapping make events of each, and publishes these as the gateway would. A record is
// acknowledged only when its events are durable. So what ends half-way is done again, and since the id of an event is
// made of the object that it tells of, what is done again changes nothing.
//
// A body of which no event can be made becomes a dead letter, and never holds up the others. The record stays in the
// topic: when the mapping is mended, the dead letter is replayed, which sends the record again.
//
// Either all events of a body are published or none. Were some of them, a mended mapping that says these otherwise
// would contradict what is booked.
//
// # Files
//
// A file of a watched folder (Folder) may be far larger than a record, so it is mapped where it is read. It is moved
// to done when its events are durable, and to refused, with the reasons beside it, when something of it can't be
// mapped. Its events that can are published: a file has many records, and each is a document of its own.
//
// # Why not Kafka Connect, Benthos or a queue of our own
//
// The log and its subscriber are here already, with everything that kill -9 asks of them. watermill's Router brings
// what is left: handlers, their ends, and a Publisher and a Subscriber that tests replace by channels.
package pipe
