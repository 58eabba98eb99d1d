package embedded

import (
	"fmt"
	"path/filepath"

	"github.com/landlock-lsm/go-landlock/landlock"
	landlocksys "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// What every program needs to run and to know its machine; none of it is
// anybody's data.
var (
	systemDirs = []string{
		"/lib", "/lib64", "/usr/lib", "/usr/lib64", // libc
		"/usr/share/zoneinfo",
		"/sys/fs/cgroup", "/sys/devices/system", // how many cores, how much memory
		"/proc/self", "/proc/sys/vm", "/proc/sys/kernel",
	}
	systemFiles = []string{
		"/etc/ld.so.cache", "/etc/localtime",
		"/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/uptime", "/proc/loadavg", "/proc/filesystems",
		"/proc/mounts", "/proc/version", "/proc/vmstat",
		"/dev/urandom", "/dev/random", "/dev/zero",
	}
	// resolverFiles are read to connect to a name.
	resolverFiles = []string{"/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf"}
)

// fenceVersion is the version of Landlock that the kernel has; 0 is none.
func fenceVersion() int {
	version, err := landlocksys.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	return version
}

// enforce shuts this process in, as far as the kernel can. Nil shuts nothing
// in.
func (f *fence) enforce() error {
	if f == nil || fenceVersion() < fenceFiles {
		return nil
	}
	const readFile = landlock.AccessFSSet(landlocksys.AccessFSReadFile)
	rules := []landlock.Rule{
		landlock.RODirs(systemDirs...).IgnoreIfMissing(),
		landlock.ROFiles(systemFiles...).IgnoreIfMissing(),
		landlock.RWFiles("/dev/null", "/dev/tty").IgnoreIfMissing().WithIoctlDev(),
		landlock.RWDirs(f.Write...).WithRefer(),
	}
	for _, path := range append([]string{f.Library}, f.Read...) {
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			return fmt.Errorf("shutting the engine in: %w", err)
		}
		rules = append(rules, landlock.PathAccess(readFile|landlock.AccessFSSet(landlocksys.AccessFSExecute), real))
	}
	for _, port := range f.Bind {
		rules = append(rules, landlock.BindTCP(uint16(port)))
	}
	for _, port := range f.Connect {
		rules = append(rules, landlock.ConnectTCP(uint16(port)))
	}
	if len(f.Connect) > 0 {
		rules = append(rules, landlock.ROFiles(resolverFiles...).IgnoreIfMissing())
	}
	if err := landlock.V11.BestEffort().Restrict(rules...); err != nil {
		return fmt.Errorf("shutting the engine in: %w", err)
	}
	return nil
}
