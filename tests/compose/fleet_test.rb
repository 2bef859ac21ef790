# One api and three workers in containers on a private network, under load, of which parts fail: nothing is lost.
require "minitest/autorun"
require_relative "fleet"

class FleetTest < Minitest::Test
  SUBMITTERS = 3
  SLOW_SECONDS = 4
  # More than the visibility timeout, so that others get what the worker holds.
  CUT_OFF_SECONDS = 15

  def setup
    @fleet = Fleet.new(workers: 3)
    @workers = @fleet.containers("worker")
    @fleet.create("quick", "event * 2")
    @fleet.create("slow", "File.write('begun', ''); sleep #{SLOW_SECONDS}; event * 2")
  end

  def teardown = @fleet&.down

  def test_nothing_is_lost
    images_do_what_they_are_for
    load = under_load do
      killed, cut_off, = @workers
      kill(killed)
      cut_off(cut_off)
      restart_one_by_one
    end
    executions = load.map { |url, input| [@fleet.finished(url), input] }
    executions.each do |execution, input|
      assert_equal ["succeeded", input * 2], execution.values_at("status", "result"), execution.inspect
    end
    assert_equal executions.size, executions.map { |execution, _| execution["id"] }.uniq.size
    attempts = executions.map { |execution, _| execution["attempts"] }.tally
    assert_operator attempts.keys.max, :>, 1, "what failed took nothing with it: the test has tested nothing"
    @fleet.wait("the queue to be empty") { @fleet.depths == [0, 0] }
    puts "#{executions.size} executions, attempts #{attempts.sort.to_h}"
    all_drain
  end

  private

  def images_do_what_they_are_for
    @fleet.create("worker", 'require "twice"; RubyVM::YJIT.enable; [Twice.of(21), RubyVM::YJIT.enabled?, Process.uid > 0]')
    execution = @fleet.finished(@fleet.submit("worker", nil))
    assert_equal [42, true, true], execution["result"], execution.inspect
    assert_equal [], %w[uid seccomp rlimits chroot no_new_privs capabilities] - execution["isolation"]["layers"]
    assert_equal "[42,true,true]", Net::HTTP.get(URI(execution["result_url"]))
    @fleet.containers("api").concat(@workers).each do |container|
      first = @fleet.state(container)["Pid"]
      assert_match(/^\s*#{first}\s+tini$/, @fleet.docker("top", container, "-o", "pid,comm"))
    end
  end

  # Submits all the while, and returns where to poll, by input.
  def under_load
    ended = false
    submitted = Queue.new
    submitters = Array.new(SUBMITTERS) do
      Thread.new do
        until ended
          name, input = rand < 0.05 ? "slow" : "quick", rand(1_000_000)
          submitted << [@fleet.submit(name, input), input]
          sleep 0.1
        end
      end
    end
    yield
    ended = true
    submitters.each(&:join)
    Array.new(submitted.size) { submitted.pop }
  end

  # Waits until this worker runs something slow; then it will lose it.
  def busy(worker)
    @fleet.wait("a worker to be busy") do
      !@fleet.docker("exec", worker, "find", "/opt/jail/scratch", "-name", "begun").empty?
    end
  end

  def kill(worker)
    busy(worker)
    @fleet.docker("kill", "--signal", "KILL", worker)
    sleep 1
    @fleet.docker("start", worker)
    @fleet.healthy(worker)
  end

  def cut_off(worker)
    busy(worker)
    @fleet.docker("network", "disconnect", "badlambda_backend", worker)
    sleep CUT_OFF_SECONDS
    assert_equal "running", @fleet.state(worker)["Status"], "a worker does not outlive its network"
    @fleet.docker("network", "connect", "badlambda_backend", worker)
    @fleet.healthy(worker)
  end

  def restart_one_by_one
    (@workers + @fleet.containers("api")).each do |container|
      @fleet.docker("restart", "--time", "30", container)
      @fleet.healthy(container)
    end
  end

  def all_drain
    @workers.each { |worker| @fleet.docker("stop", "--time", "30", worker) }
    assert_equal [0] * 3, @workers.map { |worker| @fleet.state(worker)["ExitCode"] }
  end
end

