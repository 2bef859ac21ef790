# A process of its own for each run, as plain Ruby has it: it writes its result as JSON to a pipe.
require "json"

# What the block returns, made by a forked process, and read as JSON.
def in_fork
  reader, writer = IO.pipe
  pid = fork do
    reader.close
    writer.write(yield)
    writer.close
    exit!(0)
  end
  writer.close
  result = JSON.parse(reader.read)
  reader.close
  Process.wait(pid)
  result
end
