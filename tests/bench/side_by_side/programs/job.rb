# Jobs of Sidekiq that evaluate the function in CODE, in a thread of Sidekiq's or in a fork for each job. No result is
# kept. One byte to the descriptor TOLD tells of each process that is ready ("r") and each job that is done ("d"): that
# costs a job some microseconds.
#   TOLD=FD CODE=FILE sidekiq -r job.rb              runs jobs
#   CODE=FILE ruby job.rb CLASS FILE COUNT QUEUE     puts jobs with the event of FILE into a queue
require "sidekiq"
require_relative "../../in_fork"

CODE = File.read(ENV.fetch("CODE")).freeze
TOLD = IO.for_fd(Integer(ENV["TOLD"]), "w", autoclose: false) if ENV["TOLD"]
PUSHED_AT_ONCE = 1000

# Two lines for each job would not be what others do.
Sidekiq.logger.level = Logger::WARN
Sidekiq.configure_server { |config| config.on(:startup) { TOLD.syswrite("r") } }

def run(event)
  scope = Object.new.instance_eval { binding }
  scope.local_variable_set(:event, event)
  JSON.generate(scope.eval(CODE))
end

class InThread
  include Sidekiq::Worker

  def perform(event)
    run(event)
    TOLD.syswrite("d")
  end
end

class InFork
  include Sidekiq::Worker

  def perform(event)
    in_fork { run(event) }
    TOLD.syswrite("d")
  end
end

if $PROGRAM_NAME == __FILE__
  job, file, count, queue = ARGV
  arguments = [JSON.parse(File.read(file))]
  Array.new(Integer(count), arguments).each_slice(PUSHED_AT_ONCE) do |some|
    Sidekiq::Client.push_bulk("class" => Object.const_get(job), "queue" => queue, "args" => some)
  end
end
