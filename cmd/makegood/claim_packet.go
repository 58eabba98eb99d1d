package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/insight"
)

// packetName is the question of what is claimed from one vendor.
const packetName = "claims/packet"

// packetFlags say what a claim is of.
type packetFlags struct {
	Vendor   string `help:"The supplier or carrier." required:""`
	From     string `help:"First day of the costs, YYYY-MM-DD." required:""`
	Until    string `help:"Day after the last, YYYY-MM-DD." required:""`
	Currency string `help:"ISO 4217; needed where there are several."`
	Store    string `help:"One store alone."`
}

func (f *packetFlags) query() url.Values {
	query := url.Values{}
	setGiven(query, map[string]string{"vendor": f.Vendor, "from": f.From, "to": f.Until, "currency": f.Currency,
		"store": f.Store})
	return query
}

type claimPacketCommand struct {
	booksFlags
	packetFlags
	AsOf   string `help:"${as_of}"`
	Format string `help:"${packet_format}" enum:",pdf,html,csv,xlsx,json" default:""`
	Output string `help:"File to write; standard output where none is given." short:"o" type:"path"`
}

// Run writes what is claimed, with its evidence.
func (c *claimPacketCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	query := c.query()
	setGiven(query, map[string]string{"format": formatFor(c.Format, c.Output), "as_of": c.AsOf})
	// Whole before any of it is written: a file that is cut short looks like a claim.
	var text bytes.Buffer
	if err := books.get(ctx, "/v1/"+packetName, query, &text); err != nil {
		return err
	}
	if err := s.Give(text.Bytes(), c.Output); err != nil {
		return fmt.Errorf("write the claim: %w", err)
	}
	return nil
}

// formatFor is the format that was asked for, or else that of the file's name.
func formatFor(asked, file string) string {
	if asked != "" {
		return asked
	}
	if of := strings.TrimPrefix(filepath.Ext(file), "."); slices.Contains([]string{"pdf", "csv", "xlsx", "json"}, of) {
		return of
	}
	return "html"
}

type claimFileCommand struct {
	booksFlags
	packetFlags
	Yes bool `help:"Don't ask."`
}

// filedClaim is the claim of one case.
type filedClaim struct {
	id, errorID, order, store, party string
	amount                           *big.Rat
}

// Run puts on record that the claims of the packet were filed: one for each case that has something to file.
func (c *claimFileCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	var text bytes.Buffer
	if err := books.get(ctx, "/v1/"+packetName, c.query(), &text); err != nil {
		return err
	}
	packet, err := insight.QuestionOf(packetName).Decode(text.Bytes())
	if err != nil {
		return err
	}
	claims, err := claimsOf(packet, c.Vendor)
	if err != nil {
		return err
	}
	if len(claims) == 0 {
		_, err = fmt.Fprintf(s.Out, "nothing is to be filed with %s\n", c.Vendor)
		return err
	}
	total := new(big.Rat)
	for _, k := range claims {
		total.Add(total, k.amount)
		fmt.Fprintf(s.Out, "%s %s %s\n", k.errorID, k.amount.FloatString(4), packet.Currency)
	}
	if !c.Yes {
		answer, err := s.Answer(ctx, fmt.Sprintf("Put on record that %d claims of %s %s were filed with %s? Type yes: ",
			len(claims), total.FloatString(4), packet.Currency, c.Vendor))
		if err != nil || answer != "yes" {
			return errors.Join(err, errNotDone)
		}
	}
	for _, k := range claims {
		if err := k.send(ctx, books, c.Vendor, packet); err != nil {
			return fmt.Errorf("claim of case %s: %w", k.errorID, err)
		}
	}
	_, err = fmt.Fprintf(s.Out, "%d claims filed, %s %s\n", len(claims), total.FloatString(4), packet.Currency)
	return err
}

// send writes the event. On one day it is the same event however often it is sent.
func (k *filedClaim) send(ctx context.Context, books *client, vendor string, packet *insight.Answer) error {
	data := map[string]any{"store_id": k.store, "error_id": k.errorID, "claim_id": k.id, "party": k.party,
		"party_id": vendor, "currency": packet.Currency, "amount": k.amount.FloatString(4)}
	subject := k.errorID
	if k.order != "" {
		data["order_id"], subject = k.order, k.order
	}
	return books.recordAbout(ctx, subject, domain.TypeClaimFiled.String(), k.id, packet.AsOf.Truncate(24*time.Hour), data)
}

// claimsOf are the claims that a packet comes to, one a case, in its order.
func claimsOf(packet *insight.Answer, vendor string) ([]*filedClaim, error) {
	var all []*filedClaim
	for _, row := range packet.Rows {
		text := func(name string) string { return fmt.Sprint(row[name]) }
		if text("status") != "to_file" {
			continue
		}
		amount, is := new(big.Rat).SetString(text("claimed"))
		if !is {
			return nil, fmt.Errorf("%q is no amount", text("claimed"))
		}
		if n := len(all); n > 0 && all[n-1].errorID == text("case") && all[n-1].order == text("order") {
			all[n-1].amount.Add(all[n-1].amount, amount)
			continue
		}
		all = append(all, &filedClaim{errorID: text("case"), order: text("order"), store: text("store"),
			party: text("party"), amount: amount})
	}
	all = slices.DeleteFunc(all, func(k *filedClaim) bool { return k.amount.Sign() <= 0 })
	for _, k := range all {
		sum := sha256.Sum256([]byte(strings.Join([]string{vendor, k.order, k.errorID, packet.Currency,
			k.amount.FloatString(4), packet.AsOf.Format(time.DateOnly)}, "\n")))
		k.id = "claim-" + hex.EncodeToString(sum[:10])
	}
	return all, nil
}
