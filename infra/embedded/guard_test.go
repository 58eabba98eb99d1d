package embedded

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// TestBrokerSurvivesStrangers: what isn't Kafka must not take the process down.
func TestBrokerSurvivesStrangers(t *testing.T) {
	b := startBroker(t, BrokerConfig{Dir: t.TempDir()})
	createTopic(t, b.Addr(), "t", 1)
	if resp, err := http.Get("http://" + b.Addr() + "/"); err == nil { //nolint:noctx // it fails at once
		_ = resp.Body.Close()
		t.Error("the broker answered a browser")
	}
	for name, request := range map[string][]byte{
		"unknown kind":   {0, 0, 0, 10, 0x7f, 0x7f, 0, 0, 0, 0, 0, 1, 0xff, 0xff},
		"negative kind":  {0, 0, 0, 10, 0xff, 0xff, 0, 0, 0, 0, 0, 1, 0xff, 0xff},
		"no room":        {0, 0, 0, 0, 0, 3, 0, 0},
		"too large":      {0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0},
		"negative size":  {0xff, 0xff, 0xff, 0xff, 0, 3, 0, 0},
		"ends early":     {0, 0, 0},
		"garbage inside": append([]byte{0, 0, 0, 40, 0, 0, 0, 9, 0, 0, 0, 1}, bytes.Repeat([]byte{0xff}, 32)...),
		"high version":   {0, 0, 0, 10, 0, 3, 0x7f, 0xff, 0, 0, 0, 1, 0xff, 0xff},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", b.Addr()) //nolint:noctx // loopback
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write(request); err != nil {
				t.Fatal(err)
			}
			_ = conn.(*net.TCPConn).CloseWrite() // the broker may have hung up already
			_, _ = io.Copy(io.Discard, conn)     // until the broker hangs up
			_ = conn.Close()
			if _, err := produce(testContext(t), b.Addr(), "t", 0, name); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestBrokerRefusesLogAppendTimeBatches: kfake would stamp such a batch
// without renewing its checksum, and take it, with everything after it, for a
// torn tail at the next start.
func TestBrokerRefusesLogAppendTimeBatches(t *testing.T) {
	const topic = "t"
	dir := t.TempDir()
	b := startBroker(t, BrokerConfig{Dir: dir})
	createTopic(t, b.Addr(), topic, 1)
	if _, err := produce(testContext(t), b.Addr(), topic, 0, "before"); err != nil {
		t.Fatal(err)
	}
	var batch bytes.Buffer
	set := protocol.RecordSet{Version: 2,
		Records: kafka.NewRecordReader(kafka.Record{Time: time.Unix(1000, 0), Value: kafka.NewBytes([]byte("stamped"))})}
	if _, err := set.WriteTo(&batch); err != nil {
		t.Fatal(err)
	}
	raw := batch.Bytes()[4:] // what comes first is the size of the set
	raw[22] |= 8             // the timestamps are the log's
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	send := func(records []byte) error {
		resp, err := kafkaClient(b.Addr()).RawProduce(testContext(t), &kafka.RawProduceRequest{
			Topic: topic, RequiredAcks: kafka.RequireAll,
			RawRecords: protocol.RawRecordSet{Reader: bytes.NewReader(
				append(binary.BigEndian.AppendUint32(nil, uint32(len(records))), records...))},
		})
		if err != nil {
			return err
		}
		return resp.Error
	}
	if err := send(raw); err == nil {
		t.Error("it was taken")
	}
	raw[22] &^= 8
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	if err := send(raw); err != nil {
		t.Errorf("the same without the mark: %v", err)
	}
	if _, err := produce(testContext(t), b.Addr(), topic, 0, "after"); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = startBroker(t, BrokerConfig{Dir: dir})
	if got := readAll(t, b.Addr(), topic, 0); len(got) != 3 || got[2] != "after" {
		t.Errorf("after the restart the log holds %v", got)
	}
}
