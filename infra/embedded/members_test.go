package embedded

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// join joins a group by a connection of its own, which close cuts.
func join(ctx context.Context, addr string) (member string, closeAll func(), err error) {
	transport := new(kafka.Transport)
	client := &kafka.Client{Addr: kafka.TCP(addr), Transport: transport}
	request := &kafka.JoinGroupRequest{GroupID: "g", ProtocolType: "consumer", SessionTimeout: 5 * time.Minute,
		RebalanceTimeout: 10 * time.Minute,
		Protocols: []kafka.GroupProtocol{{Name: "range",
			Metadata: kafka.GroupProtocolSubscription{Topics: []string{"things"}}}}}
	for {
		response, err := client.JoinGroup(ctx, request)
		if err != nil {
			return "", transport.CloseIdleConnections, err
		}
		if errors.Is(response.Error, kafka.MemberIDRequired) {
			request.MemberID = response.MemberID
			continue
		}
		return response.MemberID, transport.CloseIdleConnections, response.Error
	}
}

// A member whose connection is gone while the group waits for it is not waited
// for until its time is up.
func TestMembersThatAreGoneLeave(t *testing.T) {
	b := startBroker(t, BrokerConfig{Dir: t.TempDir(), memberCheckEvery: 10 * time.Millisecond,
		memberPatience: 500 * time.Millisecond})
	createTopic(t, b.Addr(), "things", 1)
	ctx := testContext(t)
	first, leave, err := join(ctx, b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	leave()
	second, leave, err := join(ctx, b.Addr()) // would wait for ten minutes
	if err != nil || second == first {
		t.Fatalf("%q joined after %q: %v", second, first, err)
	}
	defer leave()
	// One that is there stays.
	for range 20 {
		time.Sleep(50 * time.Millisecond)
		groups, err := kafkaClient(b.Addr()).DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{"g"}})
		if err != nil {
			t.Fatal(err)
		}
		if members := groups.Groups[0].Members; len(members) != 1 || members[0].MemberID != second {
			t.Fatalf("the group has %+v", members)
		}
	}
}
