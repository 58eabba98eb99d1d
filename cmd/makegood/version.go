package main

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"

	"github.com/makegood/makegood/cmd/makegood/terminal"
	"github.com/makegood/makegood/infra/embedded"
	"github.com/makegood/makegood/infra/page"
	"github.com/makegood/makegood/infra/sbom"
)

type versionCommand struct {
	SBOM    bool `help:"What it is made of, as a CycloneDX bill of materials in JSON." name:"sbom" xor:"what"`
	Notices bool `help:"The licences of its parts." xor:"what"`
}

// Run says which version this is, or what it is made of.
func (c *versionCommand) Run(s terminal.Streams) error {
	if c.Notices {
		_, err := io.WriteString(s.Out, sbom.Notices())
		return err
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("this binary was built without what it is made of")
	}
	if c.SBOM {
		return sbom.Write(s.Out, info,
			sbom.Part{Name: "clickhouse", Version: embedded.EngineVersion(), URL: embedded.EngineURL(), Licence: "Apache-2.0"},
			sbom.Part{Name: "echarts", Version: page.EChartsVersion, URL: "pkg:npm/echarts@" + page.EChartsVersion,
				Licence: "Apache-2.0"})
	}
	said := fmt.Sprintf("makegood %s, %s", info.Main.Version, info.GoVersion)
	at := slices.IndexFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "vcs.revision" })
	if at >= 0 {
		said += ", of " + info.Settings[at].Value
	}
	_, err := fmt.Fprintln(s.Out, said)
	return err
}
