# What the executor is measured against: fork, eval and JSON in a plain Ruby loop, with no confinement at all.
#   ruby baseline.rb RUNS
require "json"

CODE = '{ greeting: "Hello, #{event.fetch("name")}!" }'
EVENT = '{"name":"Ada"}'

runs = Integer(ARGV.fetch(0))
started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
runs.times do
  reader, writer = IO.pipe
  pid = fork do
    reader.close
    scope = binding
    scope.local_variable_set(:event, JSON.parse(EVENT))
    writer.write(JSON.generate(scope.eval(CODE)))
    writer.close
    exit!(0)
  end
  writer.close
  JSON.parse(reader.read)
  reader.close
  Process.wait(pid)
end
puts runs / (Process.clock_gettime(Process::CLOCK_MONOTONIC) - started)
