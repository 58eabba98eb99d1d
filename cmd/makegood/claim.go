package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/domain"
)

type claimCommand struct {
	Packet claimPacketCommand `cmd:"" help:"A claim that a vendor accepts: each covered cost with clause and evidence."`
	File   claimFileCommand   `cmd:"" help:"Put on record that the claims of a packet were filed."`
	Terms  claimTermsCommand  `cmd:"" help:"What a vendor pays for what it caused, and until when to claim it."`
}

type claimTermsCommand struct {
	booksFlags
	actorFlags
	Vendor string   `help:"The supplier or carrier." required:""`
	Window int64    `help:"Days in which to file a claim, after the one on which the case was reported." required:""`
	Cover  []string `help:"${claim_cover}" required:"" sep:"none"`
	From   string   `help:"First day on which cases have these terms, YYYY-MM-DD." required:""`
}

// Run sends the terms. Sent again, the same terms double nothing.
func (c *claimTermsCommand) Run(ctx context.Context, logger *slog.Logger, s terminal.Streams) (err error) {
	from, err := time.Parse(time.DateOnly, c.From)
	if err != nil {
		return fmt.Errorf("--from: %q is no day of the form YYYY-MM-DD", c.From)
	}
	if c.Window < 0 {
		return fmt.Errorf("--window: %d is below 0", c.Window)
	}
	var covers []any
	for _, text := range c.Cover {
		cover, err := coverOf(text)
		if err != nil {
			return fmt.Errorf("--cover: %w", err)
		}
		covers = append(covers, cover)
	}
	books, done, err := c.open(ctx, logger, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %q %q %q %q", c.Vendor, c.Window, c.From, c.Cover, c.actor(), c.why()))
	id := "terms-" + hex.EncodeToString(sum[:10])
	data := c.data(map[string]any{"vendor_id": c.Vendor, "window_days": c.Window, "effective_from": c.From,
		"covers": covers})
	if err := books.record(ctx, domain.TypeVendorTerms.String(), id, from, data); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "from %s on %s pays for %d elements, if it is claimed within %d days (event %s)\n", c.From,
		c.Vendor, len(covers), c.Window, id)
	return err
}

// coverOf reads what a vendor covers: ELEMENT:CAUSE:SHARE:CLAUSE, of which the last three may be left out.
func coverOf(text string) (map[string]any, error) {
	parts := strings.SplitN(text, ":", 4)
	if parts[0] == "" {
		return nil, fmt.Errorf("%q names no element: ELEMENT:CAUSE:SHARE:CLAUSE is wanted", text)
	}
	cover := map[string]any{"element": parts[0]}
	for i, name := range []string{"cause", "share", "clause"} {
		if len(parts) > i+1 && parts[i+1] != "" {
			cover[name] = parts[i+1]
		}
	}
	return cover, nil
}
