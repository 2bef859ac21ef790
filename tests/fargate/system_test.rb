# Run in the container beside start.rb: what `tests/end_to_end/examples.rs` expects of the examples, over HTTP.
require "json"
require "minitest/autorun"
require "net/http"

API = URI("http://127.0.0.1:8080")
WORKER_READY = URI("http://127.0.0.1:9090/readyz")
EXAMPLES = "/opt/badlambda/examples"
TIER = ENV.fetch("LANDLOCK") == "true" ? 2 : 1
LAYERS = %w[capabilities chroot landlock no_new_privs rlimits seccomp uid] - (TIER == 2 ? [] : ["landlock"])
PATIENCE_SECONDS = 60

# Waits for both processes, which start while this file is loaded.
def ready?(address)
  Net::HTTP.get_response(address).is_a?(Net::HTTPOK)
rescue SystemCallError
  false
end

deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + PATIENCE_SECONDS
[URI.join(API, "/readyz"), WORKER_READY].each do |address|
  until ready?(address)
    abort "#{address} is not ready" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
    sleep 0.05
  end
end

class SystemTest < Minitest::Test
  def read(name, what) = File.read("#{EXAMPLES}/#{name}#{what}", encoding: "UTF-8")
  def json(name, what) = JSON.parse(read(name, what))

  def post(path, body)
    answer = Net::HTTP.post(URI.join(API, path), body, "Content-Type" => "application/json", "Prefer" => "wait=30")
    assert_includes [200, 201], answer.code.to_i, answer.body
    JSON.parse(answer.body)
  end

  def create(name)
    post("/v1/functions", JSON.generate("name" => name, "code" => read(name, ".rb")))
  end

  def execute(name)
    execution = post("/v1/functions/#{name}/executions", read(name, ".input.json"))
    assert_equal({ "tier" => TIER, "layers" => LAYERS }, execution["isolation"])
    execution
  end

  def result(execution)
    assert_equal "succeeded", execution["status"], execution["error"].inspect
    JSON.parse(Net::HTTP.get(URI(execution["result_url"])))
  end

  %w[hello csv_report text_statistics svg_chart s3_event].each do |name|
    define_method("test_#{name}") do
      create(name)
      assert_equal json(name, ".expected.json"), result(execute(name))
    end
  end

  def test_expensive_setup_runs_once
    create("expensive_setup")
    one, two = Array.new(2) { result(execute("expensive_setup")) }
    json("expensive_setup", ".expected.json").each { |field, value| assert_equal [value] * 2, [one[field], two[field]] }
    assert_kind_of String, one["loaded"]["token"]
    assert_equal one["loaded"]["token"], two["loaded"]["token"]
  end

  def test_logs_and_raises
    create("logs_and_raises")
    execution = execute("logs_and_raises")
    expected = json("logs_and_raises", ".expected.json")
    assert_equal "failed", execution["status"]
    assert_equal expected["error"], execution["error"].slice(*expected["error"].keys)
    assert_operator execution["error"]["backtrace"].first, :start_with?, "function.rb:"
    assert_equal expected["logs"], Net::HTTP.get(URI(execution["logs_url"])).force_encoding("UTF-8").lines(chomp: true)
  end
end
