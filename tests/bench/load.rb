# A function that does as much as its input says. `badlambda-bench rate` runs it, and the jobs of Sidekiq do.
if (work_ms = event["work_ms"])
  ends = Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) + work_ms / 1000.0
  nil while Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) < ends
end
sleep(event["wait_ms"] / 1000.0) if event["wait_ms"]
$stdout.write("x" * event["log_bytes"]) if event["log_bytes"]
greeting = { greeting: "Hello, #{event["name"]}!" }
greeting[:padding] = "x" * event["result_bytes"] if event["result_bytes"]
greeting
