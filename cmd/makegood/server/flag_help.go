package server

import "strings"

// FlagHelp are the texts of Config's flags that are too long for a struct's tag, by the names that the tags have for
// them.
var FlagHelp = map[string]string{
	"accept_topics": "Topics made again that hold the same records at the same offsets as those that the " +
		"books were made of, as topic=id.",
	"access_file": "File of who may do what, by token: wanted wherever --http is no loopback address; " +
		"makegood token new writes it.",
	"accounts": "File that gives the general ledger's own codes for the accounts of journals.",
	"clickhouse": "Address of ClickHouse: clickhouse://user:password@host:port/database; without it an " +
		"engine runs inside.",
	"clickhouse_cluster": "Name of the cluster of ClickHouse (system.clusters), one shard with any number of " +
		"replicas: each has all of the books.",
	"clickhouse_http_port":     "Port on loopback where finance reads the ClickHouse inside, by HTTP; 0: none.",
	"clickhouse_password_file": "File with the password of ClickHouse's user; or MAKEGOOD_CLICKHOUSE_PASSWORD.",
	"http_hosts": "Names, beside loopback, by which it may be called; without an access file no other " +
		"is answered.",
	"kafka_listen": "Address of the broker inside; where the usual port is taken, any other.",
	"kafka_sasl":   "How to say who we are: plain, scram-sha-256 or scram-sha-512.",
	"keep_members": "Free text and unknown members to keep: TYPE.MEMBER (order.cancelled.reason), " +
		"*.MEMBER, attribute.NAME, or * for all.",
	"metric_labels": "How many stores, vendors, kinds or causes the metrics tell apart; the rest is called " +
		"other.",
	"people_key": "File with the keys that hide people's ids, the same for every process; made where it " +
		"is missing. Without it, people.key in the data directory.",
	"roles": "What this process does: " + strings.Join(roles, ", ") + ".",
	"tills": "File of the tills that may send here, by name: POST /v1/tills/NAME, folders and " +
		"topics.",
	"tills_retention": "How long what tills sent is kept at least, once it is mapped and no open dead letter " +
		"needs it; 0 is for ever.",
}
