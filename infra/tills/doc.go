// Package tills makes events of what tills, shops, payment processors, carriers and help desks send. How is said by a
// mapping: a page of YAML with programs in jq. This documentation is the manual of that format.
//
// # A mapping
//
//	name: my-shop               # small letters, digits, _ and -
//	about: One line of what it is, what it gives and what it can't.
//	sign: {scheme: hmac, header: X-Signature}   # see Signatures
//	read: {format: json}        # see Reading
//	settings:                   # what a till's configuration, or --set, may say beside store_id, currency and zone
//	  tax_rate: {about: the rate that prices include, default: "0.19"}     # also required: true
//	  test: {about: what becomes of tests, default: book, one_of: [book, nothing]}
//	tables:                     # words, and what they mean here
//	  reasons: {DAMAGED: damaged, WRONG: wrong_item}
//	functions: |                # jq functions that all programs may call
//	  def total: .lines | map(.price) | dsum;
//	each: .orders[]             # one document of many bodies; see From a document to events
//	unwrap:                     # the body in its wrapping
//	  - .data.object
//	kinds:
//	  - kind: refund
//	    also: [refund.created]  # other names that mean the same; refund.* is all names that begin so and are no kind's
//	    header: X-Topic         # the header whose value is the kind's name
//	    when: .object == "refund"
//	    events: |
//	      {type: "makegood.refund.issued.v1", id: "refund/\(.id)", time: .created_at, subject: .order_id,
//	       data: {refund_id: .id, order_id: .order_id, store_id: $till.store_id, currency: .currency,
//	              net: (.amount | amount)}}
//	  - kind: product
//	    when: .object == "product"
//	    nothing: a product moves no money
//
// A key that there isn't is refused with its line.
//
// # From a document to events
//
// A document is read (JSON values that stand one after the other are so many documents; a table is a list of rows).
//   - each, a jq program, gives its records. Without it, a list is its elements, and anything else is one record. An
//     each that fails on a list of JSON is tried on its elements.
//   - unwrap is tried program by program: the first that gives anything but null gives the bodies, all of its values
//     (.orders[] gives every order). A program that fails on this record is passed over. Where none gives anything, the
//     record is the body: so a mapping takes an object bare, and as the till's API wraps it.
//   - The kind is the one named from outside (--kind); else the one whose name a header has; else the first whose when
//     is true. A when that fails is not true. A header that names no kind is refused, and so is a body that fits none.
//   - events, a jq program, gives no, one or many events. A body is mapped whole or not at all: one event that is
//     refused keeps back the others, until the mapping is mended and the body is mapped again.
//
// An event is {type, id, time, subject, data}, as the contract has it (domain/README.md). The engine adds specversion
// and source, which is //tills/ and the name of the till, and holds the event against the contract as the gateway does.
// It refuses members that the contract doesn't have, since they would be slips of the pen. A null is left out. The id
// is made of the object (refund/1234), never of the delivery, so that a webhook, its retry, a backfill and a file all
// tell one event. An event that a document tells twice comes out once; two that differ and have one id are refused. Of
// an event.voided the program gives original, {type, id, time, subject, data}; the engine completes it, voids and the
// subject.
//
// # What a program sees
//
//	.          the body
//	$till      name, store_id (the till's name where it isn't set), currency, zone, and the mapping's settings;
//	           all texts, null where nothing is set
//	$headers   the headers of HTTP, names in small letters
//	$kind      the name that the kind was found by
//	$envelope  the record before unwrap
//	$received  when it came, RFC 3339, null where that isn't known. Times of events come from the body
//
// Programs reach nothing else: no environment, file, clock, other input or output; those functions of jq are refused
// when the mapping is read, and so are all that aren't on a list (vocabulary.go).
//
// # Numbers
//
// A whole number within 2^53 enters as a number. A number with a point or an exponent, and a larger one, enters as a
// text of exactly its digits. Amounts go out as texts. There is no float: a fraction written in a program, a division
// that isn't whole and tonumber of a fraction are refused, each with what to write instead. So are the slips that jq
// would let pass: "1.50" + "2.00" (it would join texts), "9.50" > "10.00" and "5" > 100 (it would compare texts), add
// of decimals, and a null put into a text ("refund/\(.id)" where there is no id).
//
// Functions that count (decimals.go). They take whole numbers and texts, give texts, are exact, and round half to even
// where they round. Digits are a number of decimals, 0 to 6, or a currency of ISO 4217, in capitals or not.
//
//	amount, price              the input, of at most 4 (6) decimals; null, "" and what is no number are refused
//	amount(digits)             the same, of at most the decimals of the currency: what was paid, or billed
//	optional_amount,           the same, but null where there is nothing: for what an event may leave out
//	optional_price
//	dsum                       the sum of an array
//	dadd(b) dsub(b) dmul(b)    input + b, input - b, input × b
//	ddiv(b) ddiv(b; digits)    input / b, rounded to 6 decimals or to digits
//	dneg dabs                  -input, |input|
//	dcmp(b)                    -1, 0, 1: input is below, equal to, above b
//	dround(digits)             rounded
//	dshare(weights; digits)    an array: the input split by the weights; the parts sum to it (largest remainder)
//	minor(digits)              minor units to a decimal: 1500 | minor("JPY") is "1500", minor("KWD") is "1.500"
//	unscaled(scale)            a decimal of Kafka Connect's: base64 of its bytes. "BBo=" | unscaled(2) is "10.50"
//	digits                     the decimals of the currency
//	net(rate)                  the input without the tax that it includes: input / (1 + rate), to 4 decimals
//	net(rate; digits)          the same, to digits
//	net_of_tax(tax)            input - tax
//
// Functions of time (times.go). All give RFC 3339.
//
//	in_zone(zone)              a local time (2006-01-02T15:04:05, with a space, without seconds, a date) of a zone, such
//	                           as "Europe/Berlin" or "+02:00". A time with an offset of its own keeps it. Of an hour that
//	                           comes twice, as clocks are put back, it is the first; a time that they skip, as they are
//	                           put forward, is refused; a day whose midnight they skip begins at its first moment. So it
//	                           is with parse_time and excel_time
//	parse_time(form; zone)     a time of another form: YYYY YY MM MMM (Jan) MMMM (January) DD D, hh, HH (01–12,
//	                           with AM or am; without these as hh), mm, ss, Z (+0200), ZZ (+02:00), dddd ddd (the
//	                           weekday); DD and the like may have one digit
//	parse_time(form)           the same, where the form has an offset
//	unix_time unix_millis      seconds, milliseconds since 1970
//	unix_micros                microseconds since 1970
//	excel_time(zone)           a date of a spreadsheet: the number of its cell, of a local time; a text is as by in_zone
//	utc                        a time of RFC 3339, in UTC: for comparing
//	minutes_since(t)           how many minutes lie between t and the later input
//
// Functions of words (tables.go).
//
//	lookup(table)              what the input means in the table; refused where it isn't there
//	lookup(table; default)     the same, with what is meant where it isn't there
//	refuse(reason)             ends the body: a dead letter with this reason; nothing (try, ?, //) catches it
//	refuse(place; reason)      the same, with the place in the body: "/lines/0/price", "lines.0.price" or a path
//	list                       a list of what may be one thing, many or none
//	content                    the text of an element of XML that may have attributes
//	required(name)             the input; refused where it is null or "": .id | required("id")
//
// # Reading
//
//	format: json               UTF-8; values that stand one after the other are so many documents. An object that has a
//	                           name twice, with different values, is refused
//	format: xml                an element is an object: @NAME for each attribute, NAME for each child (a list where there
//	                           are several of one name), #text for text beside them; one that has only text is that text;
//	                           an empty one is null. Namespaces are left out. A document type, and so every entity of
//	                           one's own, is refused. list and content (below) make one of what may be many, and a text
//	                           of what may have attributes
//	format: csv                rows as objects of texts by the header's names; an empty cell is null. A spreadsheet
//	                           that comes in place of a text is read too
//	  delimiter: ";"           one character, or tab; without it it is found in the header
//	  encoding: windows-1252   any of IANA's names; without it UTF-8. UTF-16 with its mark at the beginning is read in
//	                           any case. A mapping that has a setting encoding, or delimiter, lets the till say it
//	  decimal_comma: [Preis]   columns in which 1.234,56 is 1234.56, and 1.234 is 1234. One that there isn't is refused,
//	                           and so is a file with 12.50 in them. In all others nothing is changed: 10.045 may be an id
//	  numbers: [price]         columns of numbers that may be missing, for the till's setting decimal_comma: yes is
//	                           1.234,56, no is 1,234.56; where it isn't set a comma is only read in 1,234.56. Thousands
//	                           may be set apart by a blank or an apostrophe
//	  quotes: none             a quote is a character like others; not_with_tabs: only where the delimiter is a tab. Else
//	                           one that begins a cell ends at the next one (RFC 4180), over lines, too. Where that makes
//	                           one cell of lines that each are a row, the file is refused
//	  columns: [a, b]          the names, where the file has no header
//	  skip_rows: 2             lines above the header
//	format: xlsx               the same of a sheet, cells as they stand in the file: a date is a number, see excel_time
//	  sheet: Refunds           the first one, where nothing is said
//	format: form               application/x-www-form-urlencoded; a name that is there twice is a list
//	format: [json, csv]        several: the body tells which it is of ({ or [, <, a zip, else a table or a form)
//
// A refusal names the lines of the table that the rows of its body begin in,
// and a record of anything else by its number. Rows know their lines as long as
// programs group, sort or choose them; one that a program makes knows none.
//
// Documents are at most 200 deep, and have at most 2,000,000 values, of which an object or a row counts as 4 more.
//
// # Signatures
//
// The secrets are the till's; a mapping says only how they are used. A till may have two, so that one can be changed.
//
//	scheme: none               nobody is asked who they are
//	scheme: token              a secret word, in a header or in the query of the URL
//	  header: Authorization    with prefix: "Bearer "; or query: token
//	scheme: basic              user and password (RFC 7617): the secret is user:password
//	scheme: hmac               RFC 2104
//	  header: X-Signature      where the signature is
//	  prefix: "sha256="        what stands before it there
//	  algorithm: sha256        sha256, sha512, sha1
//	  encoding: hex            of the signature: hex, base64
//	  key: text                how the secret is written: text, nfkd (a text that is normalised, as EasyPost does), hex,
//	                           base64
//	  over: body               what is signed: body, url+body, timestamp+body
//	  timestamp: X-Timestamp   the header that the timestamp is in: seconds or milliseconds since 1970, RFC 3339, or RFC
//	                           5322
//	  join: "."                what stands between url or timestamp and body
//	scheme: stripe             t= and v1= of Stripe-Signature
//	scheme: adyen              each item of the notification, by its additionalData.hmacSignature
//	scheme: square             X-Square-HmacSha256-Signature, over the URL and the body
//	scheme: easypost           X-Hmac-Signature-V2, over X-Timestamp, POST, X-Path and the body; where the request hasn't
//	                           got it, X-Hmac-Signature, over the body
//	  tolerance: 5m            how old, or new, a signed timestamp may be. Where none is signed (adyen, square), an old
//	                           request is only known by its events, which change nothing again
//	  trial: "id=[0-9]+"       a pattern of a whole body, of at most 1 KiB, that the sender tries a new address with,
//	                           unsigned: it is answered 200, and nothing is kept
//
// # Fetching
//
// What a webhook only names, and what was missed, is asked of the till's API, where the till has a key (api_key_file in
// the tills file). The answers are bodies like any other: each, unwrap and kinds take them as they take a webhook.
//
//	fetch:
//	  hosts: [api.example.com, "{shop}.example.com"]   # that may be asked; {…} is a setting. Nothing else is
//	  auth: bearer             # how the key goes along: none, bearer, basic (user:password), header
//	  header: X-Token          # auth header: where it is
//	  headers: {Accept-Version: v3}
//	  thin: |                  # of a record, the addresses of what it only names; none where it is whole
//	    .order_id | values | "https://api.example.com/orders/\(.)"
//	  every: 1h                # how often what was missed is asked for
//	  first: '"https://api.example.com/refunds" + (if .since then "?since=\(.since | @uri)" else "" end)'
//	  next: .links.next        # of a page, the next one; null: it is the last
//	  since: '.body.refunds | last | .id // .found'    # of a page, where the next run begins; null: it doesn't say
//
// The input of first is {since}, where the last whole run ended, null before the first. That of next and since is {url,
// links, number, since, found, body}: the page's address, the addresses of its header Link by rel, its number in this
// run from 1, what the pages before it gave as since, and the page. So cursors, page numbers and Link are all one
// program. Package fetch says how it is asked, and when again.
//
// # Ids
//
// An id that was a number with an exponent, or 1001.0, went through a float somewhere, and so has one that a
// spreadsheet wrote as 1.23457E+17: digits are lost, and many orders would be one. An event with such an id, subject or
// sku is refused. As amounts such numbers are taken.
//
// # Bounds
//
// A body has at most 64 MiB. Its programs have 1,000,000 steps of gojq's machine and 100 more per byte, and may make 32
// MiB of values and 50 bytes more per byte. None of that depends on a clock or on the machine; what should take a
// minute all the same is refused, too. Texts that are searched with patterns have at most 64 KiB; a pattern is written
// in the program, or a setting ($till.x).
//
// A table counts by the text of its cells, where it is a spreadsheet, and its rows may be walked through 6 times beside
// that: empty cells have no bytes.
//
// # Examples
//
// A folder of a mapping and examples (Case) is what makegood till test wants. makegood till new writes one.
//
// # Libraries
//
// jq is github.com/itchyny/gojq (v0.12.20, MIT): jq itself, in Go. It bounds neither time nor memory (its issues #85
// and #298): a context ends it between two steps, but "x" * 1e9 is one step, and a loop may fill the memory before any
// deadline. So each program is rewritten when the mapping is read (rewrite.go): operators and functions that walk
// through values or make larger ones become ours, which charge a budget, all others of gojq's are on a list, and the
// budget is the context that gojq asks once a step. What isn't on the list is refused. YAML is go.yaml.in/yaml/v3,
// which the rates files use too; decimals are github.com/cockroachdb/apd/v3, as in domain. JSON is read with
// github.com/go-faster/jx, wire's own referee: in one pass, and numbers as they are written.
package tills
