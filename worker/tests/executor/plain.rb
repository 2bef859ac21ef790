# Runs cases in plain Ruby, each in a process and a folder of its own, with what the runner has loaded, too.
# Reads [{"code", "environment", "program"}] from stdin; prints [{"outcome", "logs"}]. A program is run from a file, and
# what it says is all that comes of it.
require "json"
require "rbconfig"
require "time"
require "set"
require "stringio"
require "securerandom"
require "tmpdir"

LIBRARIES = %w[json time set stringio securerandom].map { |name| "-r#{name}" }

def outcome(code, scope)
  main = Process.pid
  scope.local_variable_set(:event, nil)
  { result: JSON.parse(JSON.generate(scope.eval(code, "function.rb", 1))) }
rescue Exception => e # rubocop:disable Lint/RescueException -- everything that ends a function is its answer
  raise unless Process.pid == main

  { error: "#{e.class}: #{e.message}" }
end

def prepare(environment, folder)
  scratch = File.join(folder, "scratch")
  Dir.mkdir(scratch)
  Dir.chdir(scratch)
  own = { "PATH" => "/usr/local/bin:/usr/bin:/bin", "LANG" => "C.UTF-8", "HOME" => scratch, "TMPDIR" => scratch }
  ENV.replace(own.merge(environment))
  File.umask(0o077)
  $stdin.reopen(File::NULL)
  $stderr.reopen($stdout.reopen(File.join(folder, "logs"), "a"))
  $stdout.sync = $stderr.sync = true
  $PROGRAM_NAME = "function.rb"
end

def run(code, folder, scope)
  main = Process.pid
  told = outcome(code, scope)
  # A child that came to the end of the code is no answer.
  exit unless Process.pid == main
  File.write(File.join(folder, "outcome"), JSON.generate(told))
  exit!
end

def run_program(code, folder)
  File.write(File.join(folder, "outcome"), JSON.generate(result: nil))
  File.write("function.rb", code)
  exec(RbConfig.ruby, *LIBRARIES, "function.rb")
end

scope = TOPLEVEL_BINDING.dup
JSON.parse($stdin.read).map do |one|
  Dir.mktmpdir do |folder|
    child = fork do
      prepare(one.fetch("environment"), folder)
      one.fetch("program") ? run_program(one.fetch("code"), folder) : run(one.fetch("code"), folder, scope)
    end
    Process.wait(child)
    outcome = JSON.parse(File.read(File.join(folder, "outcome")))
    { outcome: outcome, logs: File.binread(File.join(folder, "logs")).force_encoding("UTF-8").scrub }
  end
end.then { |answers| puts JSON.generate(answers) }
