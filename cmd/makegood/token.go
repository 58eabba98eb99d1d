package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	gateway "github.com/makegood/makegood/infra/http"
	"github.com/makegood/makegood/infra/http/access"
)

type tokenCommand struct {
	New tokenNew `cmd:"" help:"Make a token, print it once, and write who may use it for what into the access file."`
}

type tokenNew struct {
	AccessFile string   `help:"The file to add it to; made where it is missing." required:"" type:"path"`
	Name       string   `help:"Who it is for, as the access log will call them." required:""`
	Scope      []string `help:"${scopes}" required:"" enum:"read,write,books,operate,people,process"`
	Out        string   `help:"${token_out}" type:"path"`
	Source     []string `help:"Source that their events may have, again for each; else any." sep:"none"`
}

// Run makes a token. It alone goes to standard output, so that it can be piped to where it belongs.
func (c *tokenNew) Run(s terminal.Streams) error {
	entry := access.Entry{Name: c.Name, Sources: c.Source}
	for _, scope := range c.Scope {
		entry.Scopes = append(entry.Scopes, gateway.Scope(scope))
	}
	if c.Out != "" {
		return c.writeOut(entry, s)
	}
	if err := closeToOthers(s.Out); err != nil {
		return err
	}
	token, err := access.Issue(c.AccessFile, entry)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Err, "%s was added to %s. This is the only time that its token is shown:\n", c.Name, c.AccessFile)
	_, err = fmt.Fprintln(s.Out, token)
	return err
}

// closeToOthers takes the rights of others away from a file that standard output was redirected to: what a shell makes
// is for everybody to read, and would be refused as a token file later on.
func closeToOthers(out io.Writer) error {
	file, is := out.(*os.File)
	if !is {
		return nil
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	if err := file.Chmod(0o600); err != nil {
		return fmt.Errorf("close %s to others before a token is in it: %w", file.Name(), err)
	}
	return nil
}

// writeOut writes the token to a file that only its owner reads. A shell that redirects makes one that everybody reads,
// which is refused later on.
func (c *tokenNew) writeOut(entry access.Entry, s terminal.Streams) error {
	out, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	token, err := access.Issue(c.AccessFile, entry)
	if err != nil {
		return errors.Join(err, out.Close(), os.Remove(c.Out))
	}
	if _, err := fmt.Fprintln(out, token); err != nil {
		return errors.Join(fmt.Errorf("--out: %w", err), out.Close())
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	fmt.Fprintf(s.Err, "%s was added to %s; its token is in %s\n", c.Name, c.AccessFile, c.Out)
	return nil
}
