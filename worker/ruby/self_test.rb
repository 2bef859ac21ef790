# Run confined at a worker's start: does what must be refused, and answers with the list of what was not.
# `event` says which layers are claimed.
holes = []
refused = lambda do |what, &attempt|
  attempt.call
  holes << what
rescue SystemCallError, NotImplementedError, SecurityError
  nil
end

if event["own_uids"]
  holes << "it runs as root" if [Process.uid, Process.euid, Process.gid, Process.egid].include?(0)
  holes << "it has supplementary groups" unless (Process.groups - [Process.gid]).empty?
  refused.call("root can be had back") { Process::Sys.setuid(0) }
end

if event["enforced"]
  %w[/ /tmp /var/tmp /dev/shm /etc /usr/lib].each do |folder|
    refused.call("#{folder} is writable") { File.write(File.join(folder, "badlambda-self-test"), "") }
  end
  parent = Process.ppid
  refused.call("the environment of the process above is readable") { File.read("/proc/#{parent}/environ") }
  refused.call("the process above can be signalled") { Process.kill(0, parent) }
  refused.call("processes can be started") { exit!(0) if fork.nil? }
  refused.call("programs can be started") { exec("/bin/true") }
  # A scratch folder that is no folder of this execution would not be writable.
  File.write("own", "")
  File.delete("own")
end

holes << "variables of the worker are visible: #{ENV.keys.grep(/AWS|SECRET|TOKEN/).join(", ")}" if ENV.keys.grep(/AWS|SECRET|TOKEN/).any?
holes
