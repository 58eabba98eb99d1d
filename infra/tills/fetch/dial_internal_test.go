package fetch

import (
	"errors"
	"net/netip"
	"testing"
)

func TestOnlyPublicAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "::1": false, "10.0.0.1": false, "172.16.0.1": false, "192.168.1.1": false,
		"169.254.169.254": false,
		"100.64.0.1":      false, "0.0.0.0": false, "::": false, "224.0.0.1": false, "255.255.255.255": false,
		"fe80::1": false,
		"fd00::1": false, "ff02::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "64:ff9b::7f00:1": false,
		"2002:7f00:1::": false, "192.0.2.1": false, "198.18.0.1": false,
	} {
		at := netip.AddrPortFrom(netip.MustParseAddr(address), 443).String()
		for _, loopback := range []bool{false, true} {
			err := dialer(loopback).Control("tcp", at, nil)
			here := loopback && netip.MustParseAddr(address).Unmap().IsLoopback()
			if (err == nil) != (want || here) || err != nil && !errors.Is(err, ErrNotAllowed) {
				t.Errorf("%s, loopback %v: %v", address, loopback, err)
			}
		}
	}
}
