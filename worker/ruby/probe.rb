# Run confined, at a worker's start and by `badlambda-worker doctor`: does what must be refused, layer by layer, and
# answers with what came of it: [layer, what was tried, whether it was refused, how]. `event` names the layers that
# are claimed, and how the worker sees its own root folder.
NUMBERS = {
  # The same attempt has another number on each architecture.
  "x86_64" => {
    ptrace: 101, prctl: 157, setresuid: 117, unshare: 272, mount: 165, bpf: 321, keyctl: 250, io_uring_setup: 425,
    userfaultfd: 323, perf_event_open: 298, memfd_create: 319, shmget: 29, process_vm_readv: 310, seccomp: 317
  },
  "aarch64" => {
    ptrace: 117, prctl: 167, setresuid: 147, unshare: 97, mount: 40, bpf: 280, keyctl: 219, io_uring_setup: 425,
    userfaultfd: 282, perf_event_open: 241, memfd_create: 279, shmget: 194, process_vm_readv: 270, seccomp: 277
  }
}.fetch(RUBY_PLATFORM[/\A[^-]+/].sub("arm64", "aarch64"))
PR_CAPBSET_READ = 23
PR_GET_NO_NEW_PRIVS = 39
SETGID, SETUID = 6, 7
LAST_CAPABILITY = 40

claimed = event["layers"]
findings = []
found = ->(layer, what, held, how) { findings << [layer, what, held ? true : false, how.to_s] if claimed.include?(layer) }
refused = lambda do |layer, what, &attempt|
  next unless claimed.include?(layer)

  answer = attempt.call
  found.(layer, what, false, "it was done: #{answer.inspect[0, 60]}")
rescue SystemCallError, NotImplementedError, NoMemoryError => e
  found.(layer, what, true, e.class.name.delete_prefix("Errno::"))
end
raw = ->(name, *arguments) { syscall(NUMBERS.fetch(name), *arguments) }

ids = [Process.uid, Process.euid, Process.gid, Process.egid]
found.("uid", "runs as neither root nor the worker", (ids & [0, event["worker_uid"]]).empty?, "uid #{ids.first}")
found.("uid", "has no supplementary groups", (Process.groups - ids).empty?, Process.groups.inspect)
refused.("uid", "have root back") { Process::Sys.setuid(0) }
refused.("uid", "signal the process above") { Process.kill(0, Process.ppid) }

held = claimed.include?("no_new_privs") ? raw.(:prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) : 0
found.("no_new_privs", "setuid programs give nothing", held == 1, held)

if claimed.include?("capabilities")
  left = (0..LAST_CAPABILITY).select { |number| raw.(:prctl, PR_CAPBSET_READ, number, 0, 0, 0) == 1 rescue false }
  found.("capabilities", "none beyond the change of uid can ever be had", (left - [SETGID, SETUID]).empty?, left.inspect)
end
File.write("own", "")
refused.("capabilities", "give a file away") { File.chown(Process.uid + 1, -1, "own") }
refused.("capabilities", "run before others") { Process.setpriority(Process::PRIO_PROCESS, 0, -20) }
refused.("capabilities", "become another group") { Process::Sys.setgid(0) }

files = Process.getrlimit(:NOFILE).last
refused.("rlimits", "raise a limit") { Process.setrlimit(:NOFILE, files + 1, files + 1) }
opened = []
refused.("rlimits", "open more files than allowed") { files.times { opened << File.open("own") } }
opened.each(&:close)
refused.("rlimits", "reserve more memory than allowed") { "x" * (1 << 40) }
trap("XFSZ", "IGNORE")
refused.("rlimits", "write a file larger than the scratch folder may be") { File.truncate("own", event["too_large"]) }
found.("rlimits", "leaves no core dump", Process.getrlimit(:CORE) == [0, 0], Process.getrlimit(:CORE).inspect)
File.delete("own")

refused.("seccomp", "trace a process") { raw.(:ptrace, 0, 0, 0, 0) }
refused.("seccomp", "read another process's memory") { raw.(:process_vm_readv, Process.ppid, 0, 0, 0, 0, 0) }
refused.("seccomp", "make a user namespace") { raw.(:unshare, 0x10000000) }
refused.("seccomp", "mount") { raw.(:mount, "x", "/", "tmpfs", 0, 0) }
%i[bpf keyctl io_uring_setup userfaultfd perf_event_open memfd_create shmget].each do |name|
  refused.("seccomp", name.to_s) { raw.(name, 0, 0, 0, 0, 0) }
end
refused.("seccomp", "change uids") { raw.(:setresuid, *([Process.uid] * 3)) }
refused.("seccomp", "put another filter on") { raw.(:seccomp, 1, 0, 0) }
refused.("seccomp", "start a process") { fork || exit!(0) }
refused.("seccomp", "start a program") { exec("/bin/true") }
refused.("seccomp", "open a socket") do
  require "socket"
  Socket.new(:INET, :STREAM)
end

root = File.stat("/")
found.("chroot", "the root folder is not the worker's", [root.dev, root.ino] != event["worker_root"], "inode #{root.ino}")
refused.("chroot", "see the process table") { File.stat("/proc/1") }
refused.("landlock", "list the root folder") { Dir.children("/") }
refused.("landlock", "read about processes") { File.read("/proc/self/status") }

%w[/ /tmp /var/tmp /dev/shm /etc /usr/lib].push(*$LOAD_PATH.grep(String), *Gem.path).uniq.each do |folder|
  refused.("file_system", "write in #{folder}") { File.write(File.join(folder, "badlambda-probe"), "") }
end
# Where the jail alone keeps executions from files, all of it is looked through: it holds little.
if claimed.include?("chroot") && !claimed.include?("landlock")
  require "find"
  own = File.dirname(Dir.pwd)
  writable = Find.find("/").lazy.select { |path| (path == own) ? Find.prune : File.writable?(path) && !File.symlink?(path) }
  open_to_all = writable.reject { |path| %w[/dev/null].include?(path) }.first(5)
  found.("file_system", "write anywhere in the jail", open_to_all.empty?, open_to_all.join(" "))
end
refused.("file_system", "read the worker's environment") { File.read("/proc/#{Process.ppid}/environ") }
found.("environment", "holds nothing of the worker's", (ENV.keys - event["variables"]).empty?, ENV.keys.sort.join(" "))
findings
