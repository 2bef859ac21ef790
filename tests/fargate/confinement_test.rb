# Run in the container: what it may, and how far executions are confined in it. LANDLOCK says whether it has that,
# CAPABILITIES which ones there are, if not Docker's default ones.
require "json"
require "minitest/autorun"
require "open3"

WORKER = ENV.fetch("WORKER", "/opt/badlambda/badlambda-worker")
LANDLOCK = ENV.fetch("LANDLOCK") == "true"
WITHOUT_JAIL = { "BADLAMBDA_JAIL" => nil }.freeze

# What plain Fargate gives, and no more.
class ContainerTest < Minitest::Test
  CAPABILITIES = ENV.fetch("CAPABILITIES", "00000000a80425fb")
  NAMESPACES = %w[user net pid ipc uts mount cgroup].freeze

  def test_it_is_root_with_these_capabilities_and_the_default_filter
    status = File.read("/proc/self/status").scan(/^(\w+):\s*(.*)$/).to_h
    assert_equal 0, Process.uid
    assert_equal [CAPABILITIES] * 2, status.values_at("CapEff", "CapBnd")
    assert_equal [ENV.fetch("NO_NEW_PRIVS"), "2"], status.values_at("NoNewPrivs", "Seccomp")
  end

  def test_no_namespace_can_be_had
    NAMESPACES.each do |namespace|
      message, status = Open3.capture2e("unshare", "--#{namespace}", "true")
      refute status.success?, namespace
      assert_match(/not permitted/, message)
    end
  end

  def test_nothing_of_the_machine_can_be_written
    assert_raises(Errno::EROFS) { File.write("/probe", "") }
    groups = Dir["/sys/fs/cgroup/**/cgroup.procs"]
    refute_empty groups
    groups.each { |group| assert_raises(Errno::EROFS) { Dir.mkdir(File.join(File.dirname(group), "probe")) } }
  end

  def test_no_program_is_setuid
    assert_empty `find / -xdev -type f -perm /6000`
  end
end

# What `badlambda-worker doctor` finds, and what a worker does then.
class DoctorTest < Minitest::Test
  REQUIRED = %w[uid no_new_privs capabilities rlimits seccomp file_system environment sweep].freeze
  NAMESPACES = %w[user_namespace network_namespace ipc_namespace uts_namespace].freeze

  def doctor(environment = {})
    output, messages, status = Open3.capture3(environment, WORKER, "doctor", "--json")
    refute_empty output, messages
    found = JSON.parse(output)
    [found, found["layers"].to_h { |layer| layer.values_at("name", "state") }, status.exitstatus]
  end

  def test_in_the_jail
    found, layers, status = doctor
    assert_equal [true, LANDLOCK ? 2 : 1, 0], [found["starts"], found["tier"], status], found.inspect
    assert_equal RUBY_VERSION, found["ruby"]
    (REQUIRED + ["chroot"]).each { |layer| assert_equal "holds", layers[layer], found.inspect }
    assert_equal LANDLOCK ? "holds" : "absent", layers["landlock"], found.inspect
    NAMESPACES.each { |layer| assert_equal "absent", layers[layer], found.inspect }
  end

  def test_the_table_names_tier_and_absent_layers
    table, status = Open3.capture2(WORKER, "doctor")
    assert_predicate status, :success?, table
    assert_match(/tier #{LANDLOCK ? 2 : 1}/, table)
    assert_match(/^\W*network_namespace.*absent/, table)
  end

  def test_without_the_jail
    found, layers, status = doctor(WITHOUT_JAIL)
    assert_equal "absent", layers["chroot"]
    assert_equal LANDLOCK ? [true, 1, 0] : [false, 0, 1], [found["starts"], found["tier"], status], found.inspect
  end

  unless LANDLOCK
    def test_a_worker_with_neither_refuses_to_start_and_says_what_to_do
      queue = "http://127.0.0.1:1/queue"
      settings = { "BADLAMBDA_QUEUE_URL" => queue, "BADLAMBDA_DEAD_LETTER_QUEUE_URL" => queue,
                   "BADLAMBDA_BUCKET" => "none", "AWS_REGION" => "us-east-1" }
      messages, status = Open3.capture2e(settings.merge(WITHOUT_JAIL), WORKER)
      assert_equal 1, status.exitstatus, messages
      assert_match(/badlambda-worker doctor/, messages)
    end
  end
end
