# The runner alone, in plain Ruby: what it answers, without a zygote around it.

require "json"
require "minitest/autorun"
require "open3"
require "rbconfig"

# As the zygote has it.
RUNNER = %w[temporary_folder runner surroundings].map { |name| File.read(File.expand_path("../#{name}.rb", __dir__)) }.join

class RunnerTest < Minitest::Test
  CONTEXT = {
    "execution_id" => "e-1", "function_name" => "f", "function_version" => 3, "attempt" => 1,
    "deadline_ms" => (Time.now.to_f * 1000).to_i + 60_000, "memory_mb" => 256, "network" => false, "subprocesses" => false
  }.freeze

  # Runs a script in a process of its own, as the zygote does: with the runner as the main program.
  def script(code, event: nil, handler: "", max_result_bytes: 1000, **context)
    program = <<~RUBY
      #{RUNNER}
      BadLambda::Runner.limit("100", "32768", "64")
      fields = JSON.parse($stdin.readline)
      event, context = fields.values_at("event", "context").map { |value| JSON.generate(value) }
      print "\\0", BadLambda::Runner.script(fields["code"], event, context, fields["handler"], fields["max"])
    RUBY
    fields = { code: code, context: CONTEXT.merge(context.transform_keys(&:to_s)), event: event,
               handler: handler, max: max_result_bytes.to_s }
    out, = Open3.capture2({ "GREETING" => "hi" }, RbConfig.ruby, "-e", program, stdin_data: "#{JSON.generate(fields)}\n")
    frame = out.split("\0", 2).last
    [frame[0], frame[1..].force_encoding("UTF-8")]
  end

  def error(code, **context)
    kind, json = script(code, **context)
    assert_equal "e", kind, json
    JSON.parse(json)
  end

  def test_the_last_value_is_the_result
    assert_equal ["r", '{"a":[1,null]}'], script("{ a: [event, nil] }", event: 1)
    assert_equal ["r", "null"], script("")
  end

  def test_event_and_context_are_local_variables
    code = "[event['x'], context.aws_request_id, context.function_version, context.get_remaining_time_in_millis > 0, ENV['GREETING']]"
    assert_equal ["r", '[7,"e-1",3,true,"hi"]'], script(code, event: { x: 7 })
  end

  def test_a_handler_that_a_script_defines_is_called
    assert_equal ["r", "[2,\"e-1\"]"], script("def lambda_handler(event:, context:) = [event + 1, context.execution_id]", event: 1)
    assert_equal ["r", "5"], script("def go(event:, context:) = 5\ndef handler(event:, context:) = 6", handler: "go")
  end

  def test_what_was_raised_is_told_with_its_place
    raised = error("def a = raise(KeyError, 'no x')\n\na")
    assert_equal %w[exception KeyError], raised.values_at("kind", "type")
    assert_equal "no x", raised["message"]
    assert_match(/\Afunction\.rb:1:in /, raised["backtrace"].first)
    assert_equal 2, raised["backtrace"].size
  end

  def test_a_function_says_whether_to_try_again
    wish = ->(code) { error(code).values_at("type", "message", "retry") }
    assert_equal ["BadLambda::Retry", "the function asked to be tried again", true], wish.("raise BadLambda::Retry")
    assert_equal ["BadLambda::Retry", "busy", 1.5], wish.("raise BadLambda::Retry.in(1.5, 'busy')")
    assert_equal ["BadLambda::Retry", "busy", true], wish.("raise BadLambda::Retry.in(Float::INFINITY, 'busy')")
    assert_equal ["BadLambda::NoRetry", "a bad order", false], wish.("raise BadLambda::NoRetry, 'a bad order'")
    assert_equal ["Mine", "x", false], wish.("class Mine < BadLambda::NoRetry; end\nraise Mine, 'x'")
    assert_equal ["RuntimeError", "x", nil], wish.("raise 'x'")
    assert_equal "ArgumentError", error("raise BadLambda::Retry.in('soon')")["type"]
  end

  def test_only_the_functions_own_syntax_error_is_one
    assert_equal "syntax", error("def")["kind"]
    assert_equal %w[exception SyntaxError], error("eval 'def'").values_at("kind", "type")
  end

  def test_what_is_no_json_is_told
    ["Float::NAN", "Float::INFINITY", "a = []; a << a", "\"\\xff\"", "o = Object.new; def o.to_json(*) = raise('no'); o"].each do |code|
      assert_equal "result_not_json", error(code)["kind"], code
    end
  end

  def test_a_large_result_is_told_with_its_size
    told = error("'x' * 999")
    assert_equal "result_too_large", told["kind"]
    assert_match(/1001 bytes/, told["message"])
    assert_equal "r", script("'x' * 998").first
  end

  def test_what_can_be_read_is_sent_as_it_is_where_lambda_does
    lambda = { compatibility: "lambda" }
    assert_equal ["b", "<p>\n"], script("StringIO.new(\"<p>\\n\")", **lambda)
    assert_equal ["b", "ab"], script("r, w = IO.pipe; w << 'ab'; w.close; r", **lambda)
    # Whoever has written reads from there.
    assert_equal ["b", ""], script("StringIO.new.tap { |io| io << 'x' }", **lambda)
    assert_equal "b", script("StringIO.new('x' * 1000)", **lambda).first
    assert_equal "result_too_large", error("StringIO.new('x' * 1001)", **lambda)["kind"]
    assert_equal %w[exception IOError], error("StringIO.new.tap(&:close)", **lambda).values_at("kind", "type")
    assert_equal "r", script("StringIO.new('x')").first
  end

  def test_leaving_is_a_crash
    assert_equal "crash", error("exit 3")["kind"]
    assert_match(/exit\(1\)/, error("abort")["message"])
    assert_equal "crash", error("raise Interrupt")["kind"]
  end

  def test_hostile_exceptions_are_still_told
    assert_equal "(its message raised)", error("e = RuntimeError.new; def e.message = raise; raise e")["message"]
    assert_equal "(its message is no string)", error("e = RuntimeError.new; def e.message = 5; raise e")["message"]
    assert_equal [], error("e = RuntimeError.new; def e.backtrace = [1, nil]; raise e")["backtrace"]
    assert_equal "(anonymous class)", error("raise Class.new(StandardError)")["type"]
    assert_equal "\u{FFFD}x", error("raise \"\\xffx\"")["message"]
  end

  def test_redefined_core_methods_do_not_matter
    code = "module JSON; def self.generate(*) = raise; end; class String; def bytesize = 0; end; class Binding; def eval(*) = 1; end; [1]"
    assert_equal ["r", "[1]"], script(code)
  end

  def test_names_and_sockets_behind_a_hint
    assert_match(/"network": true/, error("require 'socket'; raise SocketError, 'x'")["message"])
    refute_match(/"network": true/, error("require 'socket'; raise SocketError, 'x'", network: true)["message"])
    refute_match(/config/, error("def open = raise(Errno::EACCES, '/etc/shadow')\nopen")["message"])
    assert_match(/"subprocesses": true/, error("def fork = raise(Errno::EPERM, 'fork(2)')\nfork")["message"])
  end
end
