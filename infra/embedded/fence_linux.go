package embedded

import (
	"fmt"
	"path/filepath"

	"github.com/landlock-lsm/go-landlock/landlock"
	landlocksys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
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

// enforce shuts this thread in, as far as the kernel can, and says whether it
// has. Whatever the thread executes then is shut in whole: its caller must be
// locked to the thread, and execute. Shutting in all threads of a running
// program instead doesn't work in every build of one that loads libraries.
// Nil shuts nothing in.
func (f *fence) enforce() (bool, error) {
	if f == nil || fenceVersion() < fenceFiles {
		return false, nil
	}
	const readFile = landlock.AccessFSSet(landlocksys.AccessFSReadFile)
	rules := []landlock.Rule{
		landlock.RODirs(systemDirs...).IgnoreIfMissing(),
		landlock.ROFiles(systemFiles...).IgnoreIfMissing(),
		landlock.RWFiles("/dev/null", "/dev/tty").IgnoreIfMissing().WithIoctlDev(),
		landlock.RWDirs(f.Write...).WithRefer(),
		// This program, by its own link: its file may have been removed.
		landlock.PathAccess(readFile|landlock.AccessFSSet(landlocksys.AccessFSExecute), "/proc/self/exe"),
	}
	for _, path := range append([]string{f.Library}, f.Read...) {
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			return false, fmt.Errorf("shutting the engine in: %w", err)
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
	set, flags, err := landlock.V11.BestEffort().NewRulesetFD(rules...)
	if err != nil {
		return false, fmt.Errorf("shutting the engine in: %w", err)
	}
	defer func() { _ = unix.Close(set) }() // it is in force, or is not to be
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return false, fmt.Errorf("shutting the engine in: giving up new rights: %w", err)
	}
	if err := landlocksys.LandlockRestrictSelf(set, flags); err != nil {
		return false, fmt.Errorf("shutting the engine in: %w", err)
	}
	return true, nil
}
