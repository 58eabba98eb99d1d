package embedded

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// rule says who may send a kind of request.
type rule int

const (
	forAll       rule = iota + 1 // before they say who they are
	forLogin                     // to say so
	forEverybody                 // who has said who they are: where topics are, and what a producer needs
	forReaders                   // who may read
	forCreators                  // makegood, and everybody where nobody is asked who they are
	forWriters                   // who may write to the topics in it
	forProducers                 // who wants a producer id: guard gives it
	forMakegood                  // makegood alone
	forPrivate                   // makegood, for its private topics; all else is answered with an error
	forNobody                    // answered with an error
)

// rules are the kinds of requests that a producer, a consumer or a curious
// administrator needs. Whatever isn't in it is not served: what would delete,
// alter or move what the books rely on is named, so that its sender is told.
var rules = map[kmsg.Key]rule{
	kmsg.ApiVersions:      forAll,
	kmsg.SASLHandshake:    forLogin,
	kmsg.SASLAuthenticate: forLogin,

	kmsg.Produce: forWriters,

	kmsg.Metadata:                forEverybody,
	kmsg.Fetch:                   forReaders,
	kmsg.ListOffsets:             forReaders,
	kmsg.OffsetForLeaderEpoch:    forReaders,
	kmsg.FindCoordinator:         forEverybody,
	kmsg.OffsetCommit:            forReaders,
	kmsg.OffsetFetch:             forReaders,
	kmsg.JoinGroup:               forReaders,
	kmsg.Heartbeat:               forReaders,
	kmsg.LeaveGroup:              forReaders,
	kmsg.SyncGroup:               forReaders,
	kmsg.ConsumerGroupHeartbeat:  forReaders,
	kmsg.ConsumerGroupDescribe:   forReaders,
	kmsg.DescribeGroups:          forReaders,
	kmsg.ListGroups:              forReaders,
	kmsg.InitProducerID:          forProducers,
	kmsg.AddPartitionsToTxn:      forMakegood,
	kmsg.AddOffsetsToTxn:         forMakegood,
	kmsg.TxnOffsetCommit:         forMakegood,
	kmsg.EndTxn:                  forMakegood,
	kmsg.DescribeConfigs:         forEverybody,
	kmsg.DescribeCluster:         forEverybody,
	kmsg.DescribeTopicPartitions: forEverybody,
	kmsg.DescribeProducers:       forReaders,
	kmsg.DescribeTransactions:    forReaders,
	kmsg.ListTransactions:        forReaders,
	kmsg.CreateTopics:            forCreators,

	kmsg.DeleteTopics:            forNobody,
	kmsg.DeleteRecords:           forPrivate,
	kmsg.AlterConfigs:            forNobody,
	kmsg.IncrementalAlterConfigs: forNobody,
	kmsg.CreatePartitions:        forNobody,
	kmsg.DeleteGroups:            forNobody,
	kmsg.OffsetDelete:            forNobody,
}

// whatIsKept is why.
var whatIsKept = "the embedded broker keeps what it has acknowledged: nothing is deleted or altered in it"

// refusal is the answer to a request that nobody may send; nil is to hang up.
func refusal(r kmsg.Request) kmsg.Response {
	code := kerr.PolicyViolation.Code
	switch req := r.(type) {
	case *kmsg.DeleteTopicsRequest:
		return refuseDeleteTopics(req, code)
	case *kmsg.DeleteRecordsRequest:
		answer := req.ResponseKind().(*kmsg.DeleteRecordsResponse)
		for _, t := range req.Topics {
			topic := kmsg.DeleteRecordsResponseTopic{Topic: t.Topic}
			for _, p := range t.Partitions {
				topic.Partitions = append(topic.Partitions, kmsg.DeleteRecordsResponseTopicPartition{
					Partition: p.Partition, LowWatermark: -1, ErrorCode: code})
			}
			answer.Topics = append(answer.Topics, topic)
		}
		return answer
	case *kmsg.AlterConfigsRequest:
		answer := req.ResponseKind().(*kmsg.AlterConfigsResponse)
		for _, q := range req.Resources {
			answer.Resources = append(answer.Resources, kmsg.AlterConfigsResponseResource{ErrorCode: code,
				ErrorMessage: &whatIsKept, ResourceType: q.ResourceType, ResourceName: q.ResourceName})
		}
		return answer
	case *kmsg.IncrementalAlterConfigsRequest:
		answer := req.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
		for _, q := range req.Resources {
			answer.Resources = append(answer.Resources, kmsg.IncrementalAlterConfigsResponseResource{ErrorCode: code,
				ErrorMessage: &whatIsKept, ResourceType: q.ResourceType, ResourceName: q.ResourceName})
		}
		return answer
	case *kmsg.CreatePartitionsRequest:
		answer := req.ResponseKind().(*kmsg.CreatePartitionsResponse)
		for _, t := range req.Topics {
			answer.Topics = append(answer.Topics, kmsg.CreatePartitionsResponseTopic{Topic: t.Topic, ErrorCode: code,
				ErrorMessage: &whatIsKept})
		}
		return answer
	case *kmsg.DeleteGroupsRequest:
		answer := req.ResponseKind().(*kmsg.DeleteGroupsResponse)
		for _, g := range req.Groups {
			answer.Groups = append(answer.Groups, kmsg.DeleteGroupsResponseGroup{Group: g, ErrorCode: code})
		}
		return answer
	case *kmsg.OffsetDeleteRequest:
		answer := req.ResponseKind().(*kmsg.OffsetDeleteResponse)
		answer.ErrorCode = code
		return answer
	}
	return nil
}

func refuseDeleteTopics(req *kmsg.DeleteTopicsRequest, code int16) kmsg.Response {
	answer := req.ResponseKind().(*kmsg.DeleteTopicsResponse)
	for _, name := range req.TopicNames {
		answer.Topics = append(answer.Topics, kmsg.DeleteTopicsResponseTopic{Topic: &name, ErrorCode: code,
			ErrorMessage: &whatIsKept})
	}
	for _, t := range req.Topics {
		answer.Topics = append(answer.Topics, kmsg.DeleteTopicsResponseTopic{Topic: t.Topic, TopicID: t.TopicID,
			ErrorCode: code, ErrorMessage: &whatIsKept})
	}
	return answer
}

// groupOf is the consumer group that a request would change.
func groupOf(r kmsg.Request) (string, bool) {
	switch req := r.(type) {
	case *kmsg.JoinGroupRequest:
		return req.Group, true
	case *kmsg.SyncGroupRequest:
		return req.Group, true
	case *kmsg.HeartbeatRequest:
		return req.Group, true
	case *kmsg.LeaveGroupRequest:
		return req.Group, true
	case *kmsg.OffsetCommitRequest:
		return req.Group, true
	case *kmsg.ConsumerGroupHeartbeatRequest:
		return req.Group, true
	}
	return "", false
}
