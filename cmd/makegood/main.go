// Command makegood is the service-recovery ledger: one binary with every role and tool.
//
// Only this package knows all the rooms: App joins them, each command is a file. The command line is kong's: flags are
// struct fields with environment twins, and it brings no framework along.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/makegood/makegood/cmd/makegood/bench"
	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/infra/embedded"
)

// commandLine is every command and flag. Flags have environment twins, MAKEGOOD_ and the name.
type commandLine struct {
	Log string `help:"What to log: debug, info, warn or error." enum:"debug,info,warn,error" default:"warn"`

	Serve       serveCommand        `cmd:"" help:"Take events in, book them, answer questions."`
	Demo        demoCommand         `cmd:"" help:"See it work: all inside, a simulated parts distributor, the truck."`
	Import      importCommand       `cmd:"" help:"Read events from files."`
	Till        tillCommand         `cmd:"" help:"Connect a till, shop, processor, carrier or help desk by a mapping."`
	Report      reportsCommand      `cmd:"" help:"What the fixes really cost, by what you ask."`
	Summary     summaryCommand      `cmd:"" help:"How well it served, what failures cost, what was spent on having fewer."`
	Claim       claimCommand        `cmd:"" help:"What vendors have to pay: terms, packets, what was filed."`
	Statement   statementCommand    `cmd:"" help:"A store's or vendor's account for a month, with cases and evidence."`
	Reconcile   reconcileCommand    `cmd:"" help:"Hold the books against the log, themselves and payouts."`
	Verify      verifyCommand       `cmd:"" help:"Whether closed months are still as they were sealed."`
	Explain     explainCommand      `cmd:"" help:"The whole story of one order, down to the journal lines."`
	Close       closeCommand        `cmd:"" help:"Close a month: what comes later is posted later."`
	Journal     journalCommand      `cmd:"" help:"Entries for the general ledger."`
	Rates       ratesCommand        `cmd:"" help:"What an hour, a kilometre, a piece cost: set and listed."`
	Reopen      reopenCommand       `cmd:"" help:"Open a closed month again."`
	Void        voidCommand         `cmd:"" help:"Take an event back: its entry is posted again, the other way round."`
	Audit       auditCommand        `cmd:"" help:"Who changed the books, when and why."`
	Rebuild     rebuildCommand      `cmd:"" help:"Post history again, with the rates that are known by now."`
	Unpriced    unpricedCommand     `cmd:"" help:"Events with a line without a price, and the rates that they lack."`
	Doubles     doublesCommand      `cmd:"" help:"Events that say what another one says, or say otherwise."`
	Flags       flagsCommand        `cmd:"" help:"What can't be right, and is booked as far as it is known."`
	Status      statusCommand       `cmd:"" help:"How far the books are."`
	Deadletters deadlettersCommand  `cmd:"" help:"What could not be booked, and why."`
	Schemas     schemasCommand      `cmd:"" help:"The contract for machines: JSON Schema, OpenAPI, AsyncAPI."`
	Person      personCommand       `cmd:"" help:"What there is of a customer or an employee; and to erase them."`
	PeopleKey   peopleKeyCommand    `cmd:"" help:"The keys that hide who customers and employees are." name:"people-key"`
	Token       tokenCommand        `cmd:"" help:"Who may reach a gateway that is not on loopback."`
	Version     versionCommand      `cmd:"" help:"Which version this is, and what it is made of."`
	Loadgen     loadgenCommand      `cmd:"" help:"Simulated events, as many and as disordered as you like."`
	Bench       bench.Command       `cmd:"" help:"How fast it is here, beside ClickHouse's own Kafka engine."`
	Doctor      doctorCommand       `cmd:"" help:"What is wrong with a deployment: brokers, topics, ClickHouse."`
	BenchBroker bench.BrokerCommand `cmd:"" hidden:""`

	InsightCheck insightCheckCommand `cmd:"" help:"Hold the estimates against simulated shops whose truth is known."`
}

func main() {
	if embedded.IsChild(os.Args) {
		embedded.RunChild()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], terminal.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}

// run is the whole program but for the process around it; it returns the exit status.
func run(ctx context.Context, args []string, s terminal.Streams) int {
	var line commandLine
	exited := -1
	parser, err := kong.New(&line, append(insightCommands(), kong.Name("makegood"),
		kong.Description("What each fix really costs, in cash and in profit, per order and to the cent."),
		kong.DefaultEnvars("MAKEGOOD"), flagHelp, kong.UsageOnError(), kong.Writers(s.Out, s.Err),
		kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(s))...)
	if err != nil {
		fmt.Fprintln(s.Err, "makegood:", err)
		return 2
	}
	command, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintln(s.Err, "makegood:", err)
		return 2
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(line.Log)); err != nil {
		fmt.Fprintln(s.Err, "makegood:", err)
		return 2
	}
	logger := slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: level}))
	command.Bind(logger)
	if err := command.Run(); err != nil {
		fmt.Fprintln(s.Err, "makegood:", err)
		return 1
	}
	return 0
}
