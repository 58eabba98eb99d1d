package insight

// lists are those of what is behind the rows of the questions.
func lists() []*Question {
	return []*Question{counterOrders, signalsCases, signalsDeliveries, whatIfCases, provisionCases, preventionSpends,
		customersOrders, customersExperiments, promisesOrders, promisesFixes, promisesLeaked, feedbackRatings, sourcesOrders}
}

const asTheQuestion = "What is listed is what the row of the answer counts and sums: both are read by one statement. " +
	"The totals are the figures of that row."

var (
	theCase   = Column{Name: "case", Unit: Text, About: "The case; empty where a cost is of an order without one."}
	theOrder  = Column{Name: "order", Unit: Text, About: "The order, if there is one."}
	theStore  = Column{Name: "store", Unit: Text, About: "The store."}
	theCause  = Column{Name: "cause", Unit: Text, About: "Why."}
	theVendor = Column{Name: "vendor", Unit: Text, About: "The supplier or carrier."}
	theKind   = Column{Name: "kind", Unit: Text, About: "What went wrong."}
)

func narrowed(names ...string) (all []Param) {
	for _, name := range names {
		all = append(all, Param{Name: name, About: "Only what has this value; what has none, where it is given empty."})
	}
	return all
}

var counterOrders = listOf("counter", "orders", Question{
	Name: "counter/orders", About: "The orders behind a row of counter.", Heading: counter.Heading,
	Method: asTheQuestion, Params: narrowed("employee"), Plain: true, People: true,
	Columns: []Column{theOrder, {Name: "ordered", Unit: Day, About: "When it was placed."}, theStore,
		{Name: "employee", Unit: Text, About: "Who took it, as the hash that the books keep."},
		{Name: "failed", Unit: Count, About: "1 where this person's work made it fail.", Sum: true},
		{Name: "caught", Unit: Count, About: "1 where that was found before the customer met it.", Sum: true},
		{Name: "promised", Unit: Count, About: "1 where a promise is due.", Sum: true},
		{Name: "kept", Unit: Count, About: "1 where it was kept.", Sum: true}},
})

var signalsCases = listOf("signals_cases", "cases", Question{
	Name: "signals/cases", About: "The cases behind a row of signals: those first heard of in the time.",
	Heading: signals.Heading, Method: asTheQuestion, Params: narrowed("cause", "vendor"),
	Columns: []Column{theCase, theOrder, {Name: "heard", Unit: Day, About: "When it was first heard of."}, theStore,
		theCause, theVendor, theKind, {Name: "net", Unit: Money, About: "What it cost so far.", Sum: true}},
})

var signalsDeliveries = listOf("right_weeks", "orders", Question{
	Name: "signals/deliveries", About: "The orders delivered in the time, and which of them were right first time.",
	Heading: signals.Heading, Method: asTheQuestion,
	Columns: []Column{theOrder, {Name: "delivered", Unit: Day, About: "Day of its last delivery."}, theStore,
		{Name: "right", Unit: Count, About: "1 where it was right first time.", Sum: true}},
})

var whatIfCases = listOf("cases_in_time", "cases", Question{
	Name: "what-if/cases", About: "What each case cost in the time, by the store that sold.", Heading: whatIf.Heading,
	Method: asTheQuestion, Params: narrowed("cause", "vendor", "kind"),
	Columns: []Column{theCase, theOrder, theStore, theCause, theVendor, theKind,
		{Name: "net", Unit: Money, About: "What it cost in the time.", Sum: true}},
})

var provisionCases = listOf("provision_months", "cases", Question{
	Name: "provision/cases", About: "The cases behind a row of provision.", Heading: provision.Heading,
	Method: asTheQuestion, Params: narrowed("failed"),
	Columns: []Column{theCase, theOrder, theStore,
		{Name: "failed", Unit: Text, About: "Month of the failure, YYYY-MM."},
		{Name: "cases", Unit: Count, About: "1 for a case.", Sum: true},
		{Name: "came", Unit: Money, About: "Net leakage of the time.", Sum: true},
		{Name: "later", Unit: Money, About: "Of it, what came in a later month than the failure.", Sum: true}},
})

var preventionSpends = listOf("spent_on_prevention", "events", Question{
	Name: "prevention/spends", About: "The events behind a row of prevention: what was spent in the time.",
	Heading: prevention.Heading, Method: asTheQuestion, Params: narrowed("cause", "meant_for"),
	Columns: []Column{{Name: "day", Unit: Day, About: "Day of the spend."}, theCause,
		{Name: "meant_for", Unit: Text, About: "The store; empty where the spend was for all."},
		{Name: "spent", Unit: Money, About: "Spent, by account 6100; below 0 where it was taken back.", Sum: true},
		{Name: "source", Unit: Text, About: "Source of the event."}, {Name: "event", Unit: Text, About: "Its id."}},
})

var customersOrders = listOf("customers_cells", "orders", Question{
	Name: "customers/orders", About: "The failed orders behind a row of customers, without whose they are.",
	Heading: customers.Heading, Method: asTheQuestion, Params: narrowed("remedy", "speed"),
	Columns: []Column{theOrder, theStore, {Name: "ordered", Unit: Day, About: "When it was placed."},
		{Name: "remedy", Unit: Text, About: "How it was made good."}, {Name: "speed", Unit: Text, About: "How fast."},
		{Name: "back", Unit: Count, About: "1 where the customer came back within 90 days.", Sum: true}},
})

var customersExperiments = listOf("experiments", "orders", Question{
	Name:    "customers/assigned",
	About:   "The orders by whose case customers came into an arm of an experiment, one each, without whose they are.",
	Heading: customers.Heading, Method: asTheQuestion, Params: narrowed("experiment", "arm"),
	Columns: []Column{theOrder, {Name: "experiment", Unit: Text, About: "Its name."},
		{Name: "arm", Unit: Text, About: "The arm."},
		{Name: "back", Unit: Count, About: "1 where the customer came back within 90 days.", Sum: true}},
})

// promised are the columns of a list of promises, behind those that say what was promised for.
func promised(of ...Column) []Column {
	return append(of, theStore, Column{Name: "group", Unit: Text, About: "What by asks for."},
		Column{Name: "due", Unit: Day, About: "Day on which the promise falls due."},
		Column{Name: "outcome", Unit: Text, About: "kept, late, broken, open or withdrawn."},
		Column{Name: "late", Unit: Hours, About: "How late, of a late one."},
		Column{Name: "leakage", Unit: Money, About: "All that its fixes leaked.", Sum: true})
}

var promisesOrders = listOf("promises_orders", "due", Question{
	Name: "promises/orders", About: "The orders behind a row of promises: those whose promise falls due in the time.",
	Heading: promises.Heading, Method: asTheQuestion, Params: append(narrowed("group", "outcome"), promises.Params...),
	Columns: promised(theOrder),
})

var promisesFixes = listOf("promises_fixes", "due", Question{
	Name: "promises/redeliveries", About: "The redeliveries behind a row of promises' fixes.",
	Heading: promises.Heading, Method: asTheQuestion, Params: append(narrowed("group", "outcome"), promises.Params...),
	Columns: promised(theCase, Column{Name: "redelivery", Unit: Text, About: "The redelivery."}),
})

var promisesLeaked = listOf("promises_orders", "leaked", Question{
	Name: "promises/leaked", About: "The orders that leaked in the time, by what became of their promise.",
	Heading: promises.Heading, Method: asTheQuestion, Params: narrowed("outcome"),
	Columns: []Column{theOrder, {Name: "outcome", Unit: Text, About: "What became of its promise; no_order without one."},
		{Name: "orders", Unit: Count, About: "1 for an order.", Sum: true},
		{Name: "leakage", Unit: Money, About: "Net leakage of the time.", Sum: true}},
})

var feedbackRatings = listOf("feedback", "ratings", Question{
	Name: "feedback/ratings", About: "The ratings behind a row of feedback.", Heading: feedback.Heading,
	Method: asTheQuestion, Params: narrowed("promise", "fix"), Plain: true,
	Columns: []Column{theOrder, {Name: "rated", Unit: Day, About: "Day of the rating."},
		{Name: "promise", Unit: Text, About: "What became of the promise."},
		{Name: "fix", Unit: Text, About: "no_case, fixed or not_fixed."},
		{Name: "rating", Unit: Text, About: "From 1 to 5."},
		{Name: "ratings", Unit: Count, About: "1 for each.", Sum: true},
		{Name: "public", Unit: Count, About: "1 where others can read it.", Sum: true}},
})

var sourcesOrders = listOf("sources", "orders", Question{
	Name: "sources/orders", About: "The orders of a till or a store in the 56 days before the end of the time.",
	Heading: sources.Heading, Method: asTheQuestion, Params: narrowed("till"), Plain: true,
	Columns: []Column{theOrder, {Name: "placed", Unit: Text, About: "When it was placed (RFC 3339)."}, theStore,
		{Name: "till", Unit: Text, About: "The source of its events."}},
})
