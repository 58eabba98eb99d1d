package embedded

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// engineProgram is what behaves like `clickhouse local`. It runs in a child
// process of this very program, which shuts itself in before it becomes the
// engine: see fence.
type engineProgram struct {
	path string
	kind string // kindLibrary or kindProgram
}

const (
	kindLibrary = "library"
	kindProgram = "clickhouse on the PATH"
)

func findEngine(ctx context.Context, cfg EngineConfig) (engineProgram, error) {
	if path, err := exec.LookPath("clickhouse"); err == nil {
		if path, err = filepath.Abs(path); err != nil {
			return engineProgram{}, fmt.Errorf("resolving clickhouse on the PATH: %w", err)
		}
		return engineProgram{path: path, kind: kindProgram}, nil
	}
	library, err := Fetch(ctx, FetchConfig{CacheDir: cfg.CacheDir, Progress: cfg.Progress})
	if err != nil {
		return engineProgram{}, err
	}
	return engineProgram{path: library, kind: kindLibrary}, nil
}

// command is the child process: this program, the fence, the engine, its
// options.
func (e *Engine) command(program engineProgram) (*exec.Cmd, error) {
	self, err := selfPath()
	if err != nil {
		return nil, err
	}
	fence, err := e.fence(program).encode()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, childArgument, fence, program.kind, program.path,
		"--config-file="+e.files.config, "--queries-file", e.files.start, "--interactive", "--disable_suggestion")
	cmd.Args[0] = os.Args[0]
	cmd.Dir = e.files.Data
	cmd.Env = childEnvironment(e.files.Data)
	return cmd, nil
}

// fence says what the engine may reach.
func (e *Engine) fence(program engineProgram) fence {
	f := fence{
		Library: program.path,
		Read:    append([]string{e.files.config, e.files.Users, e.files.start}, e.cfg.readable...),
		Write:   []string{e.files.Data, e.files.Log},
		Bind:    []int{e.native},
		Connect: e.cfg.Connect,
	}
	if e.inside != 0 {
		f.Bind = append(f.Bind, e.inside)
	}
	return f
}

// sayFence tells in the log how far the kernel shuts the engine in.
func (e *Engine) sayFence() {
	switch version := fenceVersion(); {
	case version < fenceFiles:
		e.cfg.Logger.Warn("the kernel has no Landlock of version 2 or newer: the engine may read and write every file that "+
			"this user may, and so may whoever has a password of the engine", "landlock", version)
	case version < fenceNetwork:
		e.cfg.Logger.Warn("the kernel's Landlock knows files alone: the engine may connect to every address, and so may "+
			"whoever has a password of the engine", "landlock", version)
	default:
		e.cfg.Logger.Info("the engine is shut in: its files and its ports, nothing else", "landlock", version)
	}
}

// childEnvironment is what the engine gets to see of ours: what a program
// needs to run, and none of the settings and secrets meant for this one.
func childEnvironment(home string) []string {
	env := []string{
		"TZ=UTC",       // days are cut by the books' time zone, never by the machine's
		"HOME=" + home, // the user's own ClickHouse client settings are not meant for it
		"TERM=dumb",    // its terminal has no screen
		"CLICKHOUSE_HISTORY_FILE=" + os.DevNull,
	}
	for _, name := range []string{"PATH", "LANG", "LC_ALL"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}
