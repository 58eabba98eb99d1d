// Package kafka is a watermill Publisher and Subscriber over segmentio/kafka-go,
// with an Admin and a Tail beside them.
//
// # What a Publisher guarantees
//
// Publish returns nil only when all replicas in sync have every message, and a
// *PublishError that tells the failed ones by index otherwise. Many messages
// are one write: one produce request to each leader concerned, never a wait for
// a batch to fill. Messages with equal PartitionKey go to the partition that the
// Java client would choose (murmur2), in order. Retries may double a message,
// which is why the ledger knows events by their identity.
//
// # What a Subscriber guarantees
//
// At least once: a message is committed only when it and everything before it
// in its partition has been acknowledged. A crash, a rebalance or a Close makes
// whatever lies after that prefix come again.
//
// Order: messages of a partition are handed over in the order of the log, up to
// MaxInFlight of them before the first is settled. A refused message (Nack) comes
// again as a copy, after a delay and before anything of its partition that hadn't
// been handed over when the refusal was noticed; what had been handed over can't
// be called back. With MaxInFlight 1 order is strict even through refusals.
//
// Nothing is jumped over silently: lost segments, truncated logs, unreadable
// batches, changed partition counts and failing commits are logged and told to
// the Problems hook.
//
// Offsets are committed within the generation that owns the partition; the
// coordinator refuses any other. When a generation ends, or on Close, handing
// over stops, what sits unreceived in the channel is taken back, and what the
// consumer holds may still be acknowledged until DrainTimeout. After that the
// Subscriber settles the rest itself, so that a late Ack answers false.
package kafka
