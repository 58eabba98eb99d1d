//go:build chaos

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/makegood/makegood/domain/reference"
)

// chaosTills writes the tills file of the fleet's gateways and its mapper.
func chaosTills(t *testing.T) string {
	return writeTills(t, t.TempDir(), shopTills, strings.Replace(shopMapping, ".COST", ".cost", 1))
}

// overTill sends orders as a shop's webhooks: each to one gateway after the other until it is acknowledged, and every
// tenth twice. The mapper makes events of them while it, too, is killed and held up.
func (x *traffic) overTill(ctx context.Context, f *fleet) error {
	for id := range x.tillOrders {
		if err := x.await(ctx, float64(id+1)/float64(x.tillOrders+1)); err != nil {
			return err
		}
		for copies := 1 + (id+1)%10/9; copies > 0; {
			c := newClient(f.gateways[(id+copies)%len(f.gateways)])
			c.http.Timeout = 20 * time.Second
			err := deliver(ctx, c, "shop", "orders/create", shopOrder(id))
			for try := 0; err != nil; try++ {
				var p *problem
				if errors.As(err, &p) && p.Status < http.StatusInternalServerError && p.Status != http.StatusTooManyRequests {
					return fmt.Errorf("a webhook: %w", err)
				}
				if ctx.Err() != nil {
					return ctx.Err()
				}
				time.Sleep(50 * time.Millisecond)
				c.base = f.gateways[try%len(f.gateways)]
				err = deliver(ctx, c, "shop", "orders/create", shopOrder(id))
			}
			copies--
		}
		x.sent.Add(1)
	}
	return nil
}

// tillIdentities are those of the events that the mapper makes.
func (x *traffic) tillIdentities() (all []reference.Identity) {
	for id := range x.tillOrders {
		all = append(all, reference.Identity{Source: "//tills/shop", ID: fmt.Sprintf("order/%d", id)})
	}
	return all
}
