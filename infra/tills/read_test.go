package tills_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/makegood/makegood/infra/tills"
)

// reader maps a body to one event whose reason is the JSON of what was read, so that a test sees what programs see.
func reader(t testing.TB, read string) func([]byte) (string, tills.Result) {
	t.Helper()
	page := "name: x\nread: " + read + `
each: .
kinds:
  - kind: all
    when: "true"
    events: |
      {type: "makegood.error.rejected.v1", id: (tojson | @base64 | .[:100]),
       time: "2026-01-10T09:00:00Z", subject: "o1",
       data: {error_id: "e1", order_id: "o1", store_id: "s1", reason: tojson}}
`
	m, err := tills.Parse("x.yaml", []byte(page))
	if err != nil {
		t.Fatal(err)
	}
	return func(body []byte) (string, tills.Result) {
		got := m.Map(context.Background(), tills.Till{Name: "x"}, tills.Input{Body: body})
		var all []string
		for _, e := range got.Events {
			var event struct{ Data struct{ Reason string } }
			if err := json.Unmarshal(e.JSON, &event); err != nil {
				t.Fatal(err)
			}
			all = append(all, event.Data.Reason)
		}
		return strings.Join(all, " "), got
	}
}

// TestReading: what programs see of a body.
func TestReading(t *testing.T) {
	for _, c := range []struct{ name, read, body, want string }{
		{"numbers keep their digits", "{format: json}", `[1, -7, 9007199254740992, 9007199254740993, 1.10, 1e2, -0, 0.1,
			123456789012345678901234567890, 1.0]`,
			`[1,-7,9007199254740992,"9007199254740993","1.10","1e2","-0","0.1","123456789012345678901234567890","1.0"]`},
		{"one after the other", "{format: json}", "{\"a\":1}\n{\"a\":2}\n", `{"a":1} {"a":2}`},
		{"byte order mark", "{format: json}", "\xef\xbb\xbf{\"a\":\"ü\"}", `{"a":"ü"}`},
		{"xml", "{format: xml}", `<?xml version="1.0" encoding="iso-8859-1"?>` +
			"<p:Log xmlns:p='urn:x' xmlns='urn:y'><Line n='1' p:of='2'>a &amp; \xfc</Line><Line> 2 </Line><Empty/>" +
			"<!-- x --><One><![CDATA[<3]]></One><Nil xsi:nil='true'/></p:Log>",
			`{"Log":{"Empty":null,"Line":[{"#text":"a & ü","@n":"1","@of":"2"},"2"],"Nil":{"@nil":"true"},"One":"<3"}}`},
		{"form", "{format: form}", "a=1&b=x+y&a=2&c=%C3%BC", `{"a":["1","2"],"b":"x y","c":"ü"}`},
		{"csv", "{format: csv}", "a;b;c\r\n1;\"x;\"\"y\"\"\nz\";\r\n;;\r\n2;3;4\r\n",
			`[{"a":"1","b":"x;\"y\"\nz","c":null},{"a":"2","b":"3","c":"4"}]`},
		{"tabs", "{format: csv, delimiter: tab}", "a\tb\n1, 2\t3\n", `[{"a":"1, 2","b":"3"}]`},
		{"encoding", "{format: csv, encoding: windows-1252, decimal_comma: [Stück, Preis], delimiter: ';'}",
			"Stück;Preis\n1.234,50;-0,5\n1.000;1,5 kg\n1.00.0;1,5,5\n12;1.234.567\n1234,5;\n",
			`[{"Preis":"-0.5","Stück":"1234.50"},{"Preis":"1,5 kg","Stück":"1000"},{"Preis":"1,5,5","Stück":"1.00.0"},` +
				`{"Preis":"1234567","Stück":"12"},{"Preis":null,"Stück":"1234.5"}]`},
		{"an id isn't a number", "{format: csv, decimal_comma: [preis], delimiter: ';'}",
			"auftrag;preis\n10.045;1,5\n1,5;1.234\n",
			`[{"auftrag":"10.045","preis":"1.5"},{"auftrag":"1,5","preis":"1234"}]`},
		{"Excel's Unicode text", "{format: csv, encoding: utf-16, delimiter: tab}",
			"\xff\xfea\x00\t\x00b\x00\n\x001\x00\t\x002\x00",
			`[{"a":"1","b":"2"}]`},
		{"UTF-16 that says so itself", "{format: csv}", "\xfe\xff\x00a\x00,\x00b\x00\n\x001\x00,\x002",
			`[{"a":"1","b":"2"}]`},
		{"names", "{format: csv, columns: [x, y], skip_rows: 2}", "report\n\"of,\",all\n1,2\n3\n",
			`[{"x":"1","y":"2"},{"x":"3","y":null}]`},
		{"no quotes", "{format: csv, quotes: none}", "a;b;c\r\n1;\"too big;x\r\n\r\n2;\";\"5\" long\"\n3;y;z",
			`[{"a":"1","b":"\"too big","c":"x"},{"a":"2","b":"\"","c":"\"5\" long\""},{"a":"3","b":"y","c":"z"}]`},
		{"no quotes with tabs", "{format: csv, quotes: not_with_tabs}", "a\tb\n1\t\"x\n2\ty\"\n",
			`[{"a":"1","b":"\"x"},{"a":"2","b":"y\""}]`},
		{"quotes with commas", "{format: csv, quotes: not_with_tabs}", "a,b\n1,\"x, y\"\n", `[{"a":"1","b":"x, y"}]`},
		{"a text of several lines", "{format: csv}", "a,b,c\n1,\"x, y\nz, and\nso on\",3\n",
			`[{"a":"1","b":"x, y\nz, and\nso on","c":"3"}]`},
		{"the delimiter of the table, not of what is above it", "{format: csv, skip_rows: 1}", "a, b, c, d\n\nx;y\n1;2\n",
			`[{"x":"1","y":"2"}]`},
		{"no name", "{format: csv}", "a,,c\n1,2,3\n", `[{"a":"1","c":"3","column_2":"2"}]`},
		{"one of several", "{format: [json, csv, xml]}", ` {"a":1}`, `{"a":1}`},
		{"another of several", "{format: [json, csv, xml]}", `<a>1</a>`, `{"a":"1"}`},
		{"a third of several", "{format: [json, csv, xml]}", "a,b\n1,2\n", `[{"a":"1","b":"2"}]`},
	} {
		body := []byte(c.body)
		if strings.Contains(c.read, "1252") {
			body = []byte(strings.ReplaceAll(c.body, "ü", "\xfc"))
		}
		if got, all := reader(t, c.read)(body); got != c.want || len(all.Refusals) > 0 {
			t.Errorf("%s:\n got %s\nwant %s\n%v", c.name, got, c.want, all.Refusals)
		}
	}
}

// TestReadingRefuses: a body that isn't what it should be is refused with its line, in bounded time.
func TestReadingRefuses(t *testing.T) {
	many := func(s string, n int) string { return strings.Repeat(s, n) }
	for _, c := range []struct{ name, read, body, want string }{
		{"no JSON", "{format: json}", "{\"a\":1,\n\"b\":}", "bad_body: it is not JSON, line 2"},
		{"cut", "{format: json}", "{\"a\":1,\n\"b\":", "line 2: the JSON ends too early"},
		{"something behind", "{format: json}", "{}\n{}\n!", "line 3"},
		{"empty", "{format: json}", " ", "it is empty"},
		{"not UTF-8", "{format: json}", "{\"a\":\"\xff\"}", "not UTF-8"},
		{"deep", "{format: json}", many("[", 1_000_000), "too_deep"},
		{"deep objects", "{format: json}", many(`{"a":`, 300) + "1" + many("}", 300), "too_deep"},
		{"many", "{format: json}", "[" + many("0,", 2_100_000) + "0]", "too_much"},
		{"entities", "{format: xml}", `<!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><l>&b;</l>`, "a document type"},
		{"external", "{format: xml}", `<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>`, "a document type"},
		{"an entity", "{format: xml}", `<l>&a;</l>`, "entity"},
		{"deep XML", "{format: xml}", many("<a>", 1_000_000), "too_deep"},
		{"many elements", "{format: xml}", "<a>" + many("<b/>", 600_000) + "</a>", "too_much"},
		{"two roots", "{format: xml}", "<a/><b/>", "not one element"},
		{"text outside", "{format: xml}", "<a/>b", "outside"},
		{"not closed", "{format: xml}", "<a>\n<b>\n</a>", "line 3"},
		{"another encoding", "{format: xml}", `<?xml version="1.0" encoding="magic"?><a/>`, "no encoding"},
		{"a form", "{format: form}", "a=%zz", "it is no form"},
		{"pairs", "{format: form}", many("a&", 20_000), "too_much"},
		{"quotes", "{format: csv}", "a,b\n1,\"2\n", "bad_body: it is no CSV, line"},
		{"two ways of writing numbers", "{format: csv, decimal_comma: [p]}", "o;p\n1.5;1.234\n2;12.50\n",
			`line 3, p: "12.50" has no comma before its decimals`},
		{"an exponent has no comma", "{format: csv, decimal_comma: [p]}", "o;p\n1;1e3\n", `line 2, p: "1e3"`},
		{"no such column", "{format: csv, decimal_comma: [Preise]}", "o;Preis\n1;1.234\n",
			`decimal_comma names a column that there isn't: "Preise" (do you mean Preis? there are o, Preis)`},
		{"a quote over rows", "{format: csv}", "a,b,c\n1,2,3\n4,5,\"x\n6,7,y\n8,9,z\"\n10,11,12\n",
			"line 3: a quote makes one cell of 3 lines that are rows"},
		{"ragged without quotes", "{format: csv, quotes: none}", "a,b\n1,2\n1,2,\"3\n", "line 3 has 3 cells"},
		{"ragged", "{format: csv}", "a,b\n1,2\n1,2,3\n", "line 3 has 3 cells, and the header 2"},
		{"twice", "{format: csv}", "a,b,a\n", `two columns are called "a"`},
		{"Latin", "{format: csv}", "a,b\n\xfc,1\n", "encoding: windows-1252"},
		{"columns", "{format: csv}", many("a,", 2000) + "\n", "at most 1000 columns"},
		{"cells", "{format: csv, columns: [a]}", many("1\n", 500_000), "too_much"},
		{"no zip", "{format: xlsx}", "PK\x03\x04nothing", "no spreadsheet"},
		{"no sheet", "{format: xlsx}", "a,b", "no spreadsheet"},
		{"large", "{format: json}", many(" ", tills.MaxBody+1), "too_large"},
	} {
		began := time.Now()
		_, got := reader(t, c.read)([]byte(c.body))
		if len(got.Refusals) == 0 || !strings.Contains(got.Refusals[len(got.Refusals)-1].String(), c.want) {
			t.Errorf("%s: %d events, %v, want %s", c.name, len(got.Events), got.Refusals, c.want)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s took %v", c.name, took)
		}
	}
}

// TestTablesWithoutQuotes: whatever stands in the cells of a table without quotes, each line is a row with just that.
func TestTablesWithoutQuotes(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	of := reader(t, "{format: csv, quotes: none, delimiter: tab}")
	pieces := []string{`"`, `""`, "x", ",", ";", "'", `"x"`, "ü", `\`, `x "y" z`}
	for range 300 {
		columns, rows := 1+random.IntN(6), random.IntN(8)
		var names []string
		for i := range columns {
			names = append(names, fmt.Sprintf("c%d", i))
		}
		body, want := strings.Join(names, "\t")+"\r\n", []map[string]string{}
		for range rows {
			cells, row := make([]string, columns), map[string]string{}
			for i := range cells {
				for range 1 + random.IntN(3) {
					cells[i] += pieces[random.IntN(len(pieces))]
				}
				row[names[i]] = cells[i]
			}
			body += strings.Join(cells, "\t") + "\n"
			want = append(want, row)
		}
		text, all := of([]byte(body))
		var got []map[string]string
		if err := json.Unmarshal([]byte(text), &got); err != nil || len(all.Refusals) > 0 {
			t.Fatalf("seed %d: %q: %v %v", seed, body, err, all.Refusals)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %q is %v", seed, body, got)
		}
	}
}

// TestLongTables: a table of many rows that are mostly empty is mapped whole, as a text and as a spreadsheet, which
// packs it into few bytes.
func TestLongTables(t *testing.T) {
	m, err := tills.Load("csv")
	if err != nil {
		t.Fatal(err)
	}
	const orders = 9000
	columns := strings.Split("what,order,line,date,sku,quantity,unit_price,discount,tax,unit_cost,delivery_fee,currency,"+
		"id,amount,kind,minutes,km", ",")
	var rows strings.Builder
	rows.WriteString(strings.Join(columns, ",") + "\n")
	for i := range orders {
		for line := range 2 {
			fmt.Fprintf(&rows, "sale,%d,%d,2026-01-10,M,1,1,,,,,,,,,,\n", i, line)
		}
	}
	table := rows.String()
	packed := sheet(t, func(f *excelize.File) {
		for i, line := range strings.Split(strings.TrimSpace(table), "\n") {
			cells := strings.Split(line, ",")
			if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &cells); err != nil {
				t.Fatal(err)
			}
		}
	})
	for name, body := range map[string][]byte{"text": []byte(table), "spreadsheet": packed} {
		if got := run(m, body, "currency=EUR"); len(got.Events) != orders || len(got.Refusals) > 0 {
			t.Errorf("%s: %d events, %d refusals: %v", name, len(got.Events), len(got.Refusals),
				got.Refusals[:min(1, len(got.Refusals))])
		}
	}
}

// TestIdsThatWereFloats: an id that somebody counted with has lost digits, and is refused; an amount hasn't, and a text
// that only looks like one is a text.
func TestIdsThatWereFloats(t *testing.T) {
	page := "name: x\nread: {format: [json, csv]}\nkinds:\n  - kind: all\n    when: \"true\"\n    events: |\n" +
		`      (if type == "array" then .[] else . end)
      | {type: "makegood.redelivery.dispatched.v1", id: "sent/\(.id // "a")/1", time: "2026-01-10T09:00:00Z",
         subject: "o1", data: {error_id: "e1", order_id: "o1", store_id: "s1", redelivery_id: "r",
           mode: "carrier", currency: "EUR", carrier_charge: (.net | amount),
           lines: [{sku: (.sku // "s"), quantity: 1}]}}
`
	m, err := tills.Parse("x.yaml", []byte(strings.Replace(page, "kinds:", "each: .\nkinds:", 1)))
	if err != nil {
		t.Fatal(err)
	}
	spreadsheet := func(id any) string {
		return string(sheet(t, func(f *excelize.File) {
			set(t, f, "Sheet1", map[string]any{"A1": "id", "B1": "net", "A2": id, "B2": 1.5})
		}))
	}
	for _, c := range []struct{ body, want string }{
		{`{"id": 9.007199254740993e18, "net": 1}`, `(id sent/9.007199254740993e18/1), /id: float: the id "9.00`},
		{`{"id": 1001.0, "net": 1}`, "/id: float"}, {`{"sku": 4E12, "net": 1}`, "/data/lines/0/sku: float"},
		{`{"id": "1e5", "sku": "1.0", "net": 1e1}`, ""}, {`{"id": 9007199254740993, "net": 10.0}`, ""},
		{"id,net\n1.23457E+17,1\n", "/id: float"}, {"id;net\n1,23457E+17;1\n", "/id: float"},
		{"id,sku,net\n12E4,1E+,1.5E+01\n", ""}, {"id,sku,net\n1,4.00638E+12,1\n", "/data/lines/0/sku: float"},
		{spreadsheet("1.2345678901234567E+17"), "line 2 of the file"}, {spreadsheet("123456789012345678"), ""},
		{spreadsheet(123456789012345), ""},
	} {
		got := run(m, []byte(c.body))
		if c.want == "" && len(got.Events) == 1 && len(got.Refusals) == 0 {
			continue
		}
		if c.want == "" || len(got.Refusals) != 1 || !strings.Contains(got.Refusals[0].String(), c.want) {
			t.Errorf("%.60s: %d events, %v", c.body, len(got.Events), got.Refusals)
		}
	}
}

// TestMembersThatAreThereTwice: an object may have a name twice with one value; with two different ones it is refused.
func TestMembersThatAreThereTwice(t *testing.T) {
	m, err := tills.Parse("x.yaml", []byte("name: x\nkinds: [{kind: a, when: true, nothing: it}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]bool{
		`{"a": 1, "a": 1}`: true, `{"a": 1, "a": 2}`: false, `{"a": {"b": [1]}, "a": {"b": [1]}}`: true,
		`[{"a": {"b": [1]}, "a": {"b": [2]}}]`: false, `{"a": null, "a": 1}`: false, `[{"a": 1}, {"a": 2}]`: true,
	} {
		if got := run(m, []byte(body)).Refusals; (len(got) == 0) != want {
			t.Errorf("%s: %v", body, got)
		}
	}
}

// TestQuotesWithinCells: a quote within a cell that doesn't begin with one is a character like others. A cell that
// begins with a quote and doesn't end with one is refused: nobody knows where it ends.
func TestQuotesWithinCells(t *testing.T) {
	m, err := tills.Parse("x.yaml", []byte("name: x\nread: {format: csv}\neach: .\n"+
		"kinds: [{kind: a, when: true, events: 'refuse(tojson)'}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		"a;b\n5\" pipe;K \"so\"\n":             `[{"a":"5\" pipe","b":"K \"so\""}]`,
		"a,b\n\"x, y\",1\n\n5\" pipe,2\nz,3":   `[{"a":"x, y","b":"1"},{"a":"5\" pipe","b":"2"},{"a":"z","b":"3"}]`,
		"a;b\n\"5\" pipe;x\n":                  "it is no CSV, line 2",
		"a,b,c\nA1, \"Pipe, 5 inch\"\n":        "it is no CSV, line 2",
		"a;b\n1;\"x\ny\"\n5\" pipe;\"x\ny\"\n": "it is no CSV, line 4",
	} {
		got := run(m, []byte(body)).Refusals
		if len(got) != 1 || !strings.HasPrefix(got[0].Reason, want) {
			t.Errorf("%q: %v, not %s", body, got, want)
		}
	}
}

// TestRefusalsNameTheLine: of a table each refusal names the lines of the file, however its rows are grouped, and what
// stands above them; and the id of the event where there is one.
func TestRefusalsNameTheLine(t *testing.T) {
	m, err := tills.Load("csv")
	if err != nil {
		t.Fatal(err)
	}
	body := "what,order,line,date,sku,quantity,unit_price,currency,id,amount,kind\n\n" +
		"sale,2,1,2026-01-10,\"A\nB\",1,5.00,EUR,,,\n" + // lines 3 and 4
		"refund,1,,2026-01-10,,,,EUR,r1,a lot,\n" +
		"back,1,,2026-01-10,M,1,,EUR,c1,,brand new\n" +
		"sale,2,2,2026-01-10,C,1,free,EUR,,,\n" + strings.Repeat("sale,3,,2026-01-10,C,1,x,EUR,,,\n", 12)
	got := map[string]bool{}
	for _, r := range run(m, []byte(body)).Refusals {
		place, _, _ := strings.Cut(r.String(), ", line ")
		got[place] = true
		if strings.Contains(place, "back") && !strings.Contains(r.String(), "event 1 (id back/c1), /data/lines/0/grade") {
			t.Error(r)
		}
	}
	for _, want := range []string{"line 7 of the file, sale", "line 5 of the file, refund", "line 6 of the file, back",
		"lines 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 … of the file, sale"} {
		if !got[want] || len(got) != 4 {
			t.Errorf("there is no %q in %v", want, got)
		}
	}
}

func sheet(t testing.TB, fill func(*excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func set(t testing.TB, f *excelize.File, name string, cells map[string]any) {
	t.Helper()
	for cell, v := range cells {
		if err := f.SetCellValue(name, cell, v); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSpreadsheets: cells as they stand in the file, numbers as a spreadsheet shows them, another sheet by its name; a
// table's mapping takes a spreadsheet as well.
func TestSpreadsheets(t *testing.T) {
	at := time.Date(2026, 1, 10, 9, 30, 0, 0, time.UTC)
	cents := 1.0000000000000002 // what it computes has 17 digits
	body := sheet(t, func(f *excelize.File) {
		set(t, f, "Sheet1", map[string]any{"A1": "id", "B1": "net", "C1": "at", "A2": "0012", "B2": 19.99, "C2": at,
			"A3": 7, "B3": cents * 19.99, "A5": "1234567890123456789"})
		if _, err := f.NewSheet("Other"); err != nil {
			t.Fatal(err)
		}
		set(t, f, "Other", map[string]any{"A1": "x", "A2": true})
	})
	want := `[{"at":"46032.3958333333","id":"0012","net":"19.99"},{"at":null,"id":"7","net":"19.99"},` +
		`{"at":null,"id":"1234567890123456789","net":null}]`
	for _, read := range []string{"{format: xlsx}", "{format: csv}", "{format: [json, csv]}",
		"{format: xlsx, sheet: sheet1}"} {
		if got, all := reader(t, read)(body); got != want {
			t.Errorf("%s\n got %s\nwant %s\n%v", read, got, want, all.Refusals)
		}
	}
	if got, all := reader(t, "{format: csv, decimal_comma: [net]}")(body); got != want {
		t.Errorf("with commas\n got %s\nwant %s\n%v", got, want, all.Refusals)
	}
	for text, read := range map[string]string{"1.234,50": `"1234.50"`, "1.234": "line 2, net", "-1,5": `"-1.5"`} {
		body := sheet(t, func(f *excelize.File) { set(t, f, "Sheet1", map[string]any{"A1": "net", "A2": text}) })
		got, all := reader(t, "{format: csv, decimal_comma: [net]}")(body)
		if got != `[{"net":`+read+`}]` && !strings.Contains(fmt.Sprint(all.Refusals), read) {
			t.Errorf("%s is %s %v", text, got, all.Refusals)
		}
	}
	if got, all := reader(t, "{format: xlsx, sheet: Other}")(body); got != `[{"x":"TRUE"}]` && got != `[{"x":"1"}]` {
		t.Errorf("%s %v", got, all.Refusals)
	}
	if _, got := reader(t, "{format: xlsx, sheet: Third}")(body); len(got.Refusals) != 1 ||
		!strings.Contains(got.Refusals[0].Hint, "Sheet1, Other") {
		t.Errorf("%v", got.Refusals)
	}
}

// TestBombs: a spreadsheet that unpacks to more than it should is refused before it is unpacked; one that lies about it
// ends where it said that it would; so does one whose cells are far apart.
func TestBombs(t *testing.T) {
	plain := sheet(t, func(f *excelize.File) { set(t, f, "Sheet1", map[string]any{"A1": "a", "A2": 1}) })
	far := sheet(t, func(f *excelize.File) { set(t, f, "Sheet1", map[string]any{"A1": "a", "XFD1048576": 1}) })
	rewrite := func(change func(name string, text []byte) []byte, more int) []byte {
		in, err := zip.NewReader(bytes.NewReader(plain), int64(len(plain)))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		out := zip.NewWriter(&b)
		for _, f := range in.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			w, err := out.Create(f.Name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(change(f.Name, text)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range more {
			if _, err := out.Create(fmt.Sprintf("x/%d", i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	same := func(_ string, text []byte) []byte { return text }
	// The sizes that the parts say they have stand in the zip's directory.
	sized := func(body []byte, size uint32) []byte {
		body = bytes.Clone(body)
		for i := 0; i+46 < len(body); i++ {
			if bytes.HasPrefix(body[i:], []byte("PK\x01\x02")) {
				binary.LittleEndian.PutUint32(body[i+24:], size)
			}
		}
		return body
	}
	large := sized(plain, 20<<20)
	lying := sized(rewrite(func(_ string, text []byte) []byte {
		return append(text, bytes.Repeat([]byte(" "), 1<<20)...)
	}, 0), 100)
	for name, body := range map[string][]byte{
		"large": large, "lying": lying, "parts": rewrite(same, 3000),
		"rows": rewrite(func(name string, text []byte) []byte {
			if !strings.Contains(name, "sheet1") {
				return text
			}
			rows := strings.Repeat(`<row><c r="XFD1"><v>1</v></c></row>`, 5000)
			return bytes.Replace(text, []byte("</sheetData>"), []byte(rows+"</sheetData>"), 1)
		}, 0),
		"far": far,
	} {
		began := time.Now()
		got, all := reader(t, "{format: xlsx}")(body)
		if len(all.Refusals) != 1 {
			t.Errorf("%s: %.100s %v", name, got, all.Refusals)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}
