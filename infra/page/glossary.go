package page

import (
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

// entry is a word of the glossary. dashboards/glossary.md has the same words, written from these.
type entry struct{ ID, Word, Means string }

var glossary = []entry{
	{"quality-service", "Quality service, quality process", "Quality service is putting a mistake right, however well, " +
		"once the customer has met it: the truck with the right part, the refund, the call. It is what failures cost. " +
		"Quality process is working so that it goes right the first time."},
	{"leakage", "Leakage", "What failures cost: everything that was spent or given up to put mistakes right, which " +
		"would not have been spent had all been right the first time."},
	{"gross", "Gross cost", "Leakage before anybody paid anything back: refunds, goods, freight, discounts, staff " +
		"time, trucks."},
	{"net", "Net cost", "Gross cost less what came back from suppliers, carriers, insurers and from salvage. It is " +
		"what the orders brought less than they were to bring."},
	{"booked", "Booked", "The part of the gross cost that your general ledger shows as a cost of its own, for example " +
		"a refund or a part that was written down."},
	{"hidden", "Hidden", "The part of the gross cost that is inside wages and fleet in your general ledger: the " +
		"driver, the truck and the phone call were paid, but no account says that they were for a failure."},
	{"recovered", "Paid back", "What suppliers, carriers and insurers paid on claims, and what damaged goods still " +
		"brought (salvage)."},
	{"saving", "Right the first time would save", "What a year of failures costs, as the last weeks went (52 of them, " +
		"where so many are known): if all went right the first time, that would be saved. Cash is what money is paid for; " +
		"the rest is time of people and trucks that are paid anyway, and would be free for other work."},
	{"basis", "Basis", "How sure an amount is: cash (money moved), accrued (booked, and to be paid later) or imputed " +
		"(worked out at a rate, for example minutes times an hour's cost). Imputed is what is hidden."},
	{"contribution", "Contribution", "What an order brings after its goods and fees: sales less cost of goods less " +
		"fees. What it was to bring is its contribution as ordered; what it brought is that less what went wrong."},
	{"case", "Case", "One thing that went wrong with an order, from the first report to the last cost. An order may " +
		"have several."},
	{"cause", "Cause", "Why it went wrong (root cause): picking, a supplier, a promise that was too short. Costs are " +
		"gathered under it, so that one can mend it once."},
	{"founded", "Founded", "A case in which something had really failed. An unfounded case is one in which the " +
		"customer was mistaken: what it cost stands apart, and is no leakage."},
	{"silent-failure", "Silent failure", "An order that broke its promise, and nobody complained. It costs nothing " +
		"yet, but such customers may not come back."},
	{"right-first-time", "Right first time", "Orders that came as promised and had no founded case, of all that were " +
		"delivered."},
	{"promise", "Promise kept, late, broken", "Kept: all came by the time that was promised. Late: it came after. " +
		"Broken: the time is over and nothing came, or the business cancelled."},
	{"as-of", "As of", "What was known at some moment. As of the close of January is what January looked like when it " +
		"was closed, whatever came later."},
	{"posting", "Posting", "Writing an amount into the accounts. What comes late, after its month was closed, is " +
		"posted in the next open month: the posting month says where the books have it."},
	{"occurred", "Occurred", "When something really happened, in whichever month it was posted."},
	{"prevention", "Preventing, checking, failing", "The cost of quality in four parts: what is spent so that less " +
		"goes wrong (prevention), to find mistakes (appraisal), and what mistakes cost that were found before and after " +
		"delivery (internal and external failure)."},
	{"interval", "95 % sure (from … to …)", "A figure that is worked out from a sample is never exact. Of 100 such " +
		"ranges 95 hold the truth. Where ranges overlap, a difference may be chance."},
	{"cant-tell-yet", "Can't tell yet", "There is too little to say it without guessing. What is needed is said too."},
	{"unpriced", "Unpriced", "Something that happened and costs money, but no rate says how much (for example an hour " +
		"of a kind of work). It is missing from the cost until the rate is set."},
	{"provision", "Provision", "What is still to come of a month's failures, estimated, so that the month bears its " +
		"own cost."},
}

// term is a word as a link to what it means.
func term(id, text string) (template.HTML, error) {
	for _, e := range glossary {
		if e.ID == id {
			return template.HTML(fmt.Sprintf(`<a class="term" href="/words#%s" title="%s">%s</a>`, id,
				template.HTMLEscapeString(e.Means), template.HTMLEscapeString(text))), nil
		}
	}
	return "", fmt.Errorf("the glossary has no %s", id)
}

// words is the glossary as a page.
func (p *Page) words(_ *http.Request, a *ask) (*view, error) {
	return &view{template: "words", Title: "What the words mean", Ask: a, Trail: a.trail(0), Body: glossary}, nil
}

// glossaryText is the glossary as a document.
func glossaryText() string {
	var b strings.Builder
	b.WriteString("# What the words mean\n\nThe page at `/words` of every makegood has the same list; the headings of " +
		"its first page lead there.\n")
	for _, e := range glossary {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n", e.Word, e.Means)
	}
	return b.String()
}
