package kafka

import (
	"errors"
	"fmt"
	"time"
)

// SubscriberConfig says how a Subscriber reads. Zero fields mean their defaults.
type SubscriberConfig struct {
	Config

	// Group is the consumer group whose members share the partitions and whose
	// offsets are committed. Without one, a subscription reads every partition
	// from its beginning and commits nothing.
	Group string

	// MaxInFlight bounds, for each partition, the messages handed over and not
	// yet settled. 1 gives strict order even where messages are refused: the
	// next isn't handed over before the last is acknowledged. Default 8192.
	MaxInFlight int

	// MaxInFlightBytes bounds, for each partition, the bytes fetched whose
	// messages aren't settled; one more fetch may come on top. Default 4 MiB.
	MaxInFlightBytes int

	// Buffer is how many messages the channel of a subscription holds for a
	// consumer that is busy; they count as handed over. Default 256; negative
	// is none.
	Buffer int

	// InStep hands over the records of all partitions of a subscription in about
	// the order of their times, while there is a backlog. It is no promise.
	InStep bool

	// FetchMaxBytes is what one fetch may bring. A larger record is fetched all
	// the same. Default 1 MiB.
	FetchMaxBytes int

	// FetchMaxWait is how long a broker may wait for something to come before it
	// answers that nothing did. Default 500 ms.
	FetchMaxWait time.Duration

	// CommitInterval is how often the acknowledged prefix is committed. What is
	// acknowledged after the last commit comes again after a crash. Default 1 s.
	CommitInterval time.Duration

	// SessionTimeout is how long the group waits for a member that is silent
	// before its partitions go to others. Default 10 s.
	SessionTimeout time.Duration

	// HeartbeatInterval is how often we say that we're there, and so how soon we
	// learn of a rebalance. Default 1 s.
	HeartbeatInterval time.Duration

	// RebalanceTimeout is how long the group waits in a rebalance for its
	// members to come, and so how long at worst a member that was lost in the
	// middle of joining holds up the others, or a Close. Default 10 s.
	RebalanceTimeout time.Duration

	// DrainTimeout is how long a rebalance or Close waits for messages that were
	// handed over to be settled. No heartbeat is sent meanwhile, nor while the
	// last commit is made: see Validate. Default 4 s.
	DrainTimeout time.Duration

	// CommitTimeout is how long a commit may take, and so how long a rebalance or
	// Close takes at most after DrainTimeout. Default 4 s.
	CommitTimeout time.Duration

	// PartitionWatchInterval is how often we look whether topics have got more
	// partitions. Default 10 s.
	PartitionWatchInterval time.Duration

	// NackDelay is how long a refused message waits before it is handed over
	// again; it doubles with each refusal of the same message up to MaxNackDelay.
	// Defaults 10 ms and 1 s.
	NackDelay, MaxNackDelay time.Duration

	// RetryDelay is how long to wait after a failure to fetch or to join the
	// group; it doubles with each failure in a row up to MaxRetryDelay.
	// Defaults 50 ms and 2 s.
	RetryDelay, MaxRetryDelay time.Duration

	// InitTopic is how SubscribeInitialize makes a topic that doesn't exist; its
	// Name isn't used. Default: what the brokers make by default.
	InitTopic TopicSpec

	// Problems, if set, hears of everything that a subscription met and that
	// somebody should know of. It is called from the subscription's goroutines:
	// it must be safe for concurrent use and return soon.
	Problems func(Problem)
}

func (c SubscriberConfig) withDefaults() SubscriberConfig {
	c.Config = c.Config.withDefaults()
	orInt(&c.MaxInFlight, 8192)
	orInt(&c.MaxInFlightBytes, 4<<20)
	orInt(&c.Buffer, 256)
	orInt(&c.FetchMaxBytes, 1<<20)
	orDuration(&c.FetchMaxWait, 500*time.Millisecond)
	orDuration(&c.CommitInterval, time.Second)
	orDuration(&c.SessionTimeout, 10*time.Second)
	orDuration(&c.HeartbeatInterval, time.Second)
	orDuration(&c.RebalanceTimeout, 10*time.Second)
	orDuration(&c.DrainTimeout, 4*time.Second)
	orDuration(&c.CommitTimeout, 4*time.Second)
	orDuration(&c.PartitionWatchInterval, 10*time.Second)
	orDuration(&c.NackDelay, 10*time.Millisecond)
	orDuration(&c.MaxNackDelay, time.Second)
	orDuration(&c.RetryDelay, 50*time.Millisecond)
	orDuration(&c.MaxRetryDelay, 2*time.Second)
	return c
}

// Validate says everything that is wrong with the configuration. A member is silent
// from its last heartbeat until it joins again: the group must wait longer than the
// drain and the last commit take, else it removes a member that is still landing what it holds.
func (c SubscriberConfig) Validate() error {
	errs := []error{c.Config.Validate()}
	c = c.withDefaults()
	errs = append(errs,
		notBelow("MaxInFlight", c.MaxInFlight, 1),
		notBelow("MaxInFlightBytes", c.MaxInFlightBytes, 1),
		notBelow("FetchMaxBytes", c.FetchMaxBytes, 1),
		notNegative("FetchMaxWait", c.FetchMaxWait),
		notNegative("CommitInterval", c.CommitInterval),
		notNegative("SessionTimeout", c.SessionTimeout),
		notNegative("HeartbeatInterval", c.HeartbeatInterval),
		notNegative("RebalanceTimeout", c.RebalanceTimeout),
		notNegative("DrainTimeout", c.DrainTimeout),
		notNegative("CommitTimeout", c.CommitTimeout),
		notNegative("PartitionWatchInterval", c.PartitionWatchInterval),
		notNegative("NackDelay", c.NackDelay),
		notNegative("MaxNackDelay", c.MaxNackDelay),
		notNegative("RetryDelay", c.RetryDelay),
		notNegative("MaxRetryDelay", c.MaxRetryDelay),
	)
	if c.HeartbeatInterval > c.SessionTimeout/3 {
		errs = append(errs, fmt.Errorf("HeartbeatInterval (%v) is more than a third of SessionTimeout (%v)",
			c.HeartbeatInterval, c.SessionTimeout))
	}
	if silent := c.HeartbeatInterval + c.DrainTimeout + c.CommitTimeout; silent >= min(c.SessionTimeout,
		c.RebalanceTimeout) {
		errs = append(errs, fmt.Errorf("HeartbeatInterval (%v), DrainTimeout (%v) and CommitTimeout (%v) together must be "+
			"less than SessionTimeout (%v) and RebalanceTimeout (%v)", c.HeartbeatInterval, c.DrainTimeout, c.CommitTimeout,
			c.SessionTimeout, c.RebalanceTimeout))
	}
	if c.FetchMaxWait >= c.RequestTimeout {
		errs = append(errs, fmt.Errorf("FetchMaxWait (%v) must be less than RequestTimeout (%v)", c.FetchMaxWait,
			c.RequestTimeout))
	}
	return errors.Join(errs...)
}
