package server

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/kafka"
)

// limitFlags bound what the gateway takes on. 0 is the default of each.
type limitFlags struct {
	MaxBody        ByteSize      `help:"Bytes of a request's body, as sent and as unpacked." default:"8MiB"`
	MaxBatch       int           `help:"Events of a request." default:"10000"`
	MaxInFlight    ByteSize      `help:"Bytes of all requests at once; beyond, they are shed." default:"64MiB"`
	MaxConnections int           `help:"Connections; more of them wait." default:"4096"`
	MaxPerAddress  int           `help:"Connections of one address; more of them are closed." default:"512"`
	MaxReports     int           `help:"Reports that are made at once; three times as many wait." default:"8"`
	MaxHeader      ByteSize      `help:"Bytes of a request's headers." default:"64KiB"`
	HeaderTimeout  time.Duration `help:"For the headers to arrive." default:"5s"`
	BodyTimeout    time.Duration `help:"For a body to arrive." default:"30s"`
	PublishTimeout time.Duration `help:"For the brokers to acknowledge." default:"30s"`
	RequestTimeout time.Duration `help:"For a whole request, with its answer." default:"2m"`
	IdleTimeout    time.Duration `help:"For a connection to be kept without a request." default:"2m"`
	StopTimeout    time.Duration `help:"For running requests to end when the process is told to stop." default:"15s"`
	RetryAfter     time.Duration `help:"What those are told who were shed." default:"1s"`
}

// validate sees what gateway can't, which knows the two sides apart. What is wrong with one of them it says itself.
func (f *limitFlags) validate() error {
	if f.RequestTimeout > 0 && f.RequestTimeout < f.BodyTimeout+f.PublishTimeout {
		return fmt.Errorf("--http-request-timeout: %s leave no time for a body (%s) and its acknowledgement (%s): nobody "+
			"would be told what became of it",
			f.RequestTimeout, f.BodyTimeout, f.PublishTimeout)
	}
	return nil
}

func (f *limitFlags) Events(c *gateway.EventsConfig) {
	c.MaxBody, c.MaxBatch, c.MaxInFlight = int64(f.MaxBody), f.MaxBatch, int64(f.MaxInFlight)
	c.BodyTimeout, c.PublishTimeout, c.RetryAfter = f.BodyTimeout, f.PublishTimeout, f.RetryAfter
}

func (f *limitFlags) Server(c *gateway.Config) {
	c.MaxHeader, c.MaxConnections = int(f.MaxHeader), f.MaxConnections
	c.MaxPerAddress, c.MaxReports = f.MaxPerAddress, f.MaxReports
	c.HeaderTimeout, c.WriteTimeout, c.IdleTimeout, c.ShutdownTimeout = f.HeaderTimeout, f.RequestTimeout, f.IdleTimeout,
		f.StopTimeout
}

// ProjectorFlags bound what a projector holds, and so its memory. What is in flight is what it has fetched and not
// booked yet: under load half of it is a batch. 0 is the default of each.
type ProjectorFlags struct {
	Batch         int      `help:"Rows of an insert." default:"50000"`
	InFlight      int      `help:"Messages in flight of a partition." default:"32768"`
	InFlightBytes ByteSize `help:"Their bytes." default:"4MiB"`
}

// LeastInFlight is one fetch.
const LeastInFlight = 1 << 20

func (f *ProjectorFlags) Validate() error {
	switch {
	case f.Batch < 0 || f.Batch > 1_000_000:
		return fmt.Errorf("--projector-batch: %d is not between 1 and 1,000,000", f.Batch)
	case f.InFlight < 0 || f.InFlight > 1_000_000:
		return fmt.Errorf("--projector-in-flight: %d is not between 1 and 1,000,000", f.InFlight)
	case f.InFlightBytes != 0 && f.InFlightBytes < LeastInFlight:
		return fmt.Errorf("--projector-in-flight-bytes: %d are less than a fetch of 1MiB", f.InFlightBytes)
	}
	return nil
}

// subscriber is what they say of a subscription. makegood bench peaked at 245 MiB with the defaults and four
// partitions, and memory grows with what is in flight (see collectOften), while the CPU that all processes together
// take for an event hardly changes between 4 and 32 MiB a partition.
func (f *ProjectorFlags) subscriber(c *kafka.SubscriberConfig) {
	c.MaxInFlight, c.MaxInFlightBytes = cmp.Or(f.InFlight, 32_768), int(cmp.Or(f.InFlightBytes, 4<<20))
}

// ByteSize is a number of bytes, written as such or with a unit: 8MiB.
type ByteSize int64

var byteUnits = map[string]int64{"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

var errByteSize = errors.New("a number of bytes is written 1000, 64KiB, 8MiB or 1GiB")

// UnmarshalText reads it.
func (b *ByteSize) UnmarshalText(text []byte) error {
	digits := strings.TrimRight(string(text), "KMGiB")
	unit, ok := byteUnits[string(text[len(digits):])]
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if err != nil || !ok || n < 0 || n > math.MaxInt64/unit {
		return fmt.Errorf("%q: %w", text, errByteSize)
	}
	*b = ByteSize(n * unit)
	return nil
}
