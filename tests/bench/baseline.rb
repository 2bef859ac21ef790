# What the executor is measured against: fork, eval and JSON in a plain Ruby loop, with no confinement at all.
#   ruby baseline.rb RUNS
require_relative "in_fork"

CODE = '{ greeting: "Hello, #{event.fetch("name")}!" }'
EVENT = '{"name":"Ada"}'

runs = Integer(ARGV.fetch(0))
started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
runs.times do
  in_fork do
    scope = binding
    scope.local_variable_set(:event, JSON.parse(EVENT))
    JSON.generate(scope.eval(CODE))
  end
end
puts runs / (Process.clock_gettime(Process::CLOCK_MONOTONIC) - started)
