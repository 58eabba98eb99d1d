// Package kafka is a watermill Publisher and Subscriber over segmentio/kafka-go,
// with an Admin and a Tail beside them.
//
// # What a Publisher guarantees
//
// Publish returns nil only when all replicas in sync have every message, and a
// *PublishError that tells the failed ones by index otherwise. Many messages
// are one write: one produce request to each leader concerned, and never a wait
// for a batch to fill. What other callers publish while a request is on its way
// gathers, and goes as the next one. Messages with equal PartitionKey go to the
// partition that the Java client would choose (murmur2), in order. A message
// that a broker refuses doesn't take its neighbours with it. Retries may double
// a message, which is why the ledger knows events by their identity.
//
// # What a Subscriber guarantees
//
// At least once: a message is committed only when it and everything before it
// in its partition has been acknowledged. A crash, a rebalance or a Close makes
// whatever lies after that prefix come again.
//
// Order: messages of a partition are handed over in the order of the log, up to
// MaxInFlight of them before the first is settled. A refused message (Nack)
// comes again as a copy made from the log's bytes, after a delay, and before
// anything of its partition that hadn't been handed over when the refusal was
// noticed; what had been handed over can't be called back. Messages refused
// together come again together. With MaxInFlight 1 order is strict even through
// refusals.
//
// Nothing is jumped over silently: lost segments, truncated logs, unreadable
// batches, changed partition counts and failing commits are logged and told to
// the Problems hook. What transactions took back is not read (read committed).
// A topic that is deleted and made again under the same name is another topic:
// records are fetched by the topic's id (Kafka 3.1 and newer), so that nothing
// of the new one is read or committed, however soon it is filled. Its partitions
// stand still (TopicRemade), and a Publisher that has seen the old one writes
// nothing to it. Older brokers tell the two apart by their offsets alone.
//
// Offsets are committed within the generation that owns the partition; the
// coordinator refuses any other. When a generation ends, or on Close, handing
// over stops, what sits unreceived in the channel is taken back, and what the
// consumer holds may still be acknowledged until DrainTimeout. After that the
// Subscriber settles the rest itself, so that a late Ack answers false and the
// message's context is done.
//
// Memory is bounded by partitions × (MaxInFlightBytes + two fetches). Payloads
// are cut out of the fetch that brought them and share its memory, as do
// deliveries in slabs of 256: who keeps a message for long keeps them, too.
//
// # How it is made
//
// A subscription is a member of the group (kafka-go's ConsumerGroup), from
// generation to generation. Within one, each partition has a fetcher, which
// asks the leader for more while there is room, and a pump, which hands over,
// watches the oldest message in flight, and moves the prefix. A committer
// commits prefixes at an interval. A Publisher has a lane to each broker, which
// carries one request at a time: that keeps order through retries.
//
// Both use kafka-go's Transport for connections: TLS, SASL, version
// negotiation, pooling. It lets a request take over the exchange on a connection
// (protocol.RawExchanger); we use that everywhere, to route by our own knowledge
// of leaders, and to code what is hot by hand.
//
// # What staying on kafka-go costs
//
// kafka-go is the client that this project was given; franz-go is the other one
// that is maintained. What is built here because kafka-go doesn't have it, with
// the lines of code that it takes:
//
//   - decoding and encoding of record batches (batch_decode.go, batch_encode.go:
//     370), since its own computes wrong times, hands out aborted transactions
//     and allocates twice a record;
//   - routing, layout and retries (cluster.go, retry.go: 370), since its Transport
//     can't be told that a leader moved;
//   - the produce path (publisher.go, sender.go: 740), since its Writer waits for
//     batches to fill and loses the order on a retry;
//   - offsets, commits and fetches (offsets.go, fetch.go, fetcher.go: 500), since
//     its Reader passes over lost records in silence.
//
// Metadata and fetches are coded by franz-go's kmsg (generated from Kafka's own
// definitions, BSD-3, released with every version of Kafka; kfake brings it
// along anyway), since kafka-go's protocol package codes no version that has the
// ids of topics. speak.go sends them over kafka-go's connections.
//
// What can't be had at all with it: idempotent producing (so a retry may write a
// message twice, and the ledger must know events by identity, which it does
// anyway), and the group protocol of KIP-848. franz-go has both; its cost would
// be another way of configuration, and that its group consumer has to be tamed
// where ours commits by generation.
//
// # To change it
//
//   - Start with fetcher.go (reading one partition) and sender.go (writing to one
//     broker); subscription.go and publisher.go divide the work among them.
//   - A fetch is at version 13 at most, the first with the ids of topics; a
//     produce request, which sender.go codes by hand, at 8.
//   - Errors: aboutContent says which refusals are about a message and are never
//     retried; everything else is retried until the caller's time is over. A new
//     error code must be put on the right side, or a message stops the pipe.
//   - Every wait takes the context and a bound: kafka-go has calls without either.
//   - Ends are the high watermark, reading is read committed: see logEdges.
//   - The tests run against kfake; what only a real broker does is in
//     real_test.go (go test -tags realkafka). TestUniversal is watermill's own
//     suite, and rebalance_test.go the random one: run it with -count for changes
//     in subscription.go or committer.go.
//
// # What was learned about kafka-go 0.4.51
//
//   - Transport refreshes metadata at random moments within its TTL and can't be
//     told to; a leader that moved, or a broker that is back, stays wrong until then.
//   - Neither Transport nor Dialer has a deadline while authenticating. See dialer.
//   - A deadline that is set by context.AfterFunc ends a long poll at once; the
//     connection must then be dropped, which any error from RawExchange does.
//   - A buffer given to a request may still be read from after RoundTrip has
//     returned with an error.
//   - Record times are computed from the producer's clock even where the broker
//     stamped the batch (LogAppendTime). Our decoder knows: Position.LogTime.
//   - Aborted transactions are handed to consumers. Our decoder leaves them out.
//   - A generation must be ended by closing the group if the member is to leave:
//     when its functions return first, the group joins the next generation.
//   - The number of partitions is compared with what was seen after the
//     assignment, so growth between the two is missed. See lookAtLayout.
//   - ConsumerGroup takes an answer without an offset for a group that is new,
//     and has everything read again from the beginning. See makeSure.
//   - FindCoordinator's error code is ignored when Transport routes by group.
//
// kfake ignores message.timestamp.type: it stamps a batch only if the producer
// asks for it in the batch's attributes.
//
// Of the ways to read records, this package's costs least (BenchmarkReadLayers:
// Conn.ReadBatch with two allocations a record, Client.Fetch with two and twice
// the time, ours with none). Of the four allocations a received message has, all
// are those of message.NewMessage; its channels are how an Ack is noticed.
package kafka
