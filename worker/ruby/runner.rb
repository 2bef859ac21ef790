# What runs around function code, inside every execution and template.
#
# The zygote evaluates this file and those beside it once, and calls Runner's entries. Each answers with a binary string:
# one character for its kind, and JSON or a result's bytes behind it. Function code shares the process and may redefine anything;
# what an honest function could redefine by accident is captured here before it runs. What a hostile one does to
# this file, it does to its own execution alone: the worker believes nothing that comes out of it.

require "json"
require "time"
require "set"
require "stringio"
require "securerandom"

module BadLambda
  # Raised by a function that wants to be tried again, whatever its config says of retries: `raise BadLambda::Retry`, or
  # `raise BadLambda::Retry.in(30)` for half a minute later.
  class Retry < StandardError
    attr_reader :seconds

    def self.in(seconds, message = nil)
      new(message, seconds: seconds)
    end

    def initialize(message = nil, seconds: nil)
      super(message || "the function asked to be tried again")
      @seconds = seconds && Float(seconds)
    end
  end

  # Raised by a function that must not be tried again, whatever its config says of retries.
  class NoRetry < StandardError
  end

  # What a function may ask about its execution; answers to AWS Lambda's names, too. Most never ask, so it is parsed
  # when it is asked first.
  class Context
    PARSE = JSON.method(:parse)

    def initialize(json)
      @json = json
    end

    def execution_id = fields["execution_id"]
    def function_name = fields["function_name"]
    # A string in what is made for AWS Lambda, as there.
    def function_version
      number = fields["function_version"]
      return number unless lambda?

      number.zero? ? "$LATEST" : number.to_s
    end

    def attempt = fields["attempt"]
    def deadline_ms = fields["deadline_ms"]
    def invoked_function_arn = fields["invoked_function_arn"]
    def log_group_name = fields["log_group_name"]
    def log_stream_name = fields["log_stream_name"]
    def client_context = fields["client_context"]
    def tenant_id = fields["tenant_id"]
    # Of who signed in to a mobile app, which nobody does here.
    def identity = nil
    # A string, as on AWS Lambda.
    def memory_limit_in_mb = fields["memory_mb"].to_s
    alias aws_request_id execution_id

    def get_remaining_time_in_millis
      [deadline_ms - Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond), 0].max
    end

    # The folder with the code, where it came in a zip.
    def package = fields["package"]
    # Whether the code was made for AWS Lambda.
    def lambda? = fields["compatibility"] == "lambda"

    def log(message)
      $stdout.puts(message)
    end

    def inspect
      "#<BadLambda::Context #{@json}>"
    end

    # Whether its config allows `setting`.
    def allows?(setting)
      fields[setting] ? true : false
    end

    private

    def fields
      @fields ||= PARSE.call(@json)
    end
  end

  # The entries that the zygote calls.
  module Runner
    FILE = "function.rb"
    OWN_FRAME = "-e:"
    HANDLERS = %i[handler lambda_handler].freeze
    SUBPROCESS_FRAME = /in [`'](?:Process[.#]|Kernel[.#]|IO\.|Open3\.)?(?:fork|_fork|spawn|system|exec|popen\w*|`)'/
    NETWORK_FRAME = %r{/(?:socket|resolv|net/\w+)\.rb:|in [`'](?:Addrinfo[.#])?getaddrinfo'}
    SUBPROCESS_HINT = 'a function may start processes only with "subprocesses": true in its config'
    NETWORK_HINT = 'a function may use the network only with "network": true in its config'
    LAYERS_HINT = 'layers are in the folder ENV["BADLAMBDA_LAYERS_ROOT"] here, and not in /opt'
    SCRATCH_HINT = "a function may write only in its scratch folder: use Dir.tmpdir, or a relative path"
    # As a shell has it.
    COMMAND_NOT_FOUND = 127
    END_OF_CODE = /^__END__(?:\r?\n|\z)/
    WRITE_ERRORS = [Errno::EACCES, Errno::EPERM, Errno::ENOENT, Errno::EROFS].freeze
    MISSING_FILE_ERRORS = [Errno::ENOENT, LoadError].freeze
    PERMISSION_ERRORS = [Errno::EPERM, Errno::EACCES, Errno::ENOSYS, Errno::EAFNOSUPPORT].freeze

    GENERATE = JSON.method(:generate)
    PARSE = JSON.method(:parse)
    EVALUATE = Binding.instance_method(:eval)
    CLASS_OF = Kernel.instance_method(:class)
    NAME_OF = Module.instance_method(:name)
    BYTES_OF = String.instance_method(:bytesize)
    MAIN = TOPLEVEL_BINDING.receiver
    # Has its two variables already, as adding them costs more than setting them.
    SCRIPT_SCOPE = TOPLEVEL_BINDING.dup
    SCRIPT_SCOPE.local_variable_set(:event, nil)
    SCRIPT_SCOPE.local_variable_set(:context, nil)

    class << self
      # The limits of what is answered: how deep JSON may be, how long an error's message, and of how many lines its
      # backtrace. Each is a number as text.
      def limit(json_depth, message_bytes, backtrace_lines)
        @json_depth, @message_bytes, @backtrace_lines = [json_depth, message_bytes, backtrace_lines].map(&:to_i)
        ""
      end

      # Loads libraries and touches what every execution will use; answers "=" with Ruby's version and the folders of
      # its libraries, a line each, or why not.
      def warm_up(libraries)
        ENV.replace("PATH" => "/usr/local/bin:/usr/bin:/bin", "LANG" => "C.UTF-8")
        $PROGRAM_NAME = FILE
        explain_system
        end_forks_as_ruby_does
        $stdout.sync = true
        libraries.split(",").each do |library|
          require library
        rescue ScriptError, StandardError => e
          return "Ruby could not load #{library}, which BADLAMBDA_PRELOAD names: #{e.message}".b
        end
        rehearse
        Process.respond_to?(:warmup) ? Process.warmup : 3.times { GC.start }
        ["=#{RUBY_VERSION}", *library_folders].join("\n").b
      end

      # Runs script-form code. Where it turns out to have defined a handler, that is called, too.
      def script(code, event_json, context_json, handler, max_result_bytes)
        answer(context_json, max_result_bytes) do |context|
          see_time_zone
          offer_libraries(nil, context) if ENV["BADLAMBDA_LAYERS_ROOT"]
          offer_data(code)
          event = parse(event_json)
          SCRIPT_SCOPE.local_variable_set(:event, event)
          SCRIPT_SCOPE.local_variable_set(:context, context)
          value = EVALUATE.bind_call(SCRIPT_SCOPE, code, FILE, 1)
          method = handler_name(handler)
          method ? MAIN.__send__(method, event: event, context: context) : value
        end
      end

      # Runs handler-form code's top level; answers an empty string, or the error.
      def load(code, context_json, handler, max_result_bytes)
        # What a file does when it is run, and not when it is loaded, is not done here.
        $PROGRAM_NAME = "badlambda"
        @receiver = MAIN
        @loads = true
        failure = answer(context_json, max_result_bytes) do |context|
          see_time_zone
          offer_lambda(context.package) if context.lambda?
          offer_libraries(context.package, context)
          context.package ? load_package(context.package, handler) : load_file(code, handler)
          nil
        end
        @loads = false
        failure.start_with?("e") ? failure : ""
      end

      # Calls the handler that was loaded.
      def handle(event_json, context_json, max_result_bytes)
        answer(context_json, max_result_bytes) do |context|
          Dir.chdir(@task_root) if @task_root
          @receiver.__send__(@handler, event: parse(event_json), context: context)
        end
      end

      private

      def rehearse
        script("event.to_s + [1, 2.5, nil].sum { |n| n.to_f }.to_s", '{"a":[1,2.5,"x",null,true]}', "{}", "", "99")
        script("raise 'rehearsal'", "null", "{}", "", "99")
      end

      def load_file(code, handler)
        offer_data(code)
        EVALUATE.bind_call(TOPLEVEL_BINDING.dup, code, FILE, 1)
        @handler = handler_name(handler)
        no_method("the code defines no top-level method #{HANDLERS.join(" or ")}") unless @handler
      end

      # Without a backtrace, of which Ruby would show a line of this file.
      def no_method(message)
        raise NoMethodError, message, []
      end

      # Where no process may be started, Kernel#system just returns nil. It says why, and leaves a `$?` as for a command that
      # is not there.
      def explain_system
        runner = self
        original = Kernel.instance_method(:system)
        explained = lambda do |receiver, arguments, options|
          original.bind_call(receiver, *arguments, **options).tap { |done| runner.__send__(:refused) if done.nil? }
        end
        Kernel.define_method(:system) { |*arguments, **options| explained.call(self, arguments, options) }
        Kernel.module_eval { private :system }
        Kernel.define_singleton_method(:system) { |*arguments, **options| explained.call(self, arguments, options) }
      end

      # Ruby prints what a forked block raised with all the frames below it.
      def end_forks_as_ruby_does
        runner = self
        original = Process.method(:fork)
        forking = lambda do |block|
          return original.call unless block

          original.call do
            block.call
          rescue Exception => e # rubocop:disable Lint/RescueException -- it goes on
            runner.__send__(:hide_own_frames, e)
            raise
          end
        end
        Kernel.define_method(:fork) { |&block| forking.call(block) }
        Kernel.module_eval { private :fork }
        [Kernel, Process].each { |one| one.define_singleton_method(:fork) { |&block| forking.call(block) } }
      end

      def refused
        return if @context.nil? || @context.allows?("subprocesses")

        $stderr.puts("system: #{SUBPROCESS_HINT}")
        set_last_status(COMMAND_NOT_FOUND)
      end

      # Where Ruby and its gems lie, on whatever machine this is.
      def library_folders
        folders = $LOAD_PATH + Gem.path + RbConfig::CONFIG.values_at("rubylibdir", "rubyarchdir", "libdir")
        folders.map { |folder| File.realpath(folder.to_s) rescue nil }.compact.uniq - ["/", Dir.home]
      end

      # The environment was changed behind Ruby's back, and Ruby may know an older time zone.
      def see_time_zone
        zone = ENV["TZ"]
        ENV["TZ"] = zone if zone
      end

      # What stands behind `__END__`, of which Ruby makes a constant for a program in a file.
      def offer_data(code)
        return unless code.include?("\n__END__") && (mark = END_OF_CODE.match(code))

        data = StringIO.new(code)
        data.pos = code.bytesize - mark.post_match.bytesize
        Object.const_set(:DATA, data)
      end

      def parse(json)
        PARSE.call(json, max_nesting: @json_depth)
      end

      def handler_name(configured)
        names = configured.empty? ? HANDLERS : [configured.to_sym]
        names.find { |name| Object.private_method_defined?(name, false) || Object.method_defined?(name, false) }
      end

      # The block's value as a result, or whatever it raised as an error.
      def answer(context_json, max_result_bytes)
        process = Process.pid
        max_bytes = max_result_bytes.to_i
        @context = context = Context.new(context_json)
        result(yield(context), max_bytes)
      rescue Exception => e # rubocop:disable Lint/RescueException -- everything that ends a function is its answer
        # A child that function code forked ends as in any Ruby, and gives no answer.
        unless Process.pid == process
          hide_own_frames(e)
          raise
        end

        error(kind_of(e), e, context)
      ensure
        flush
      end

      def result(value, max_bytes)
        return bytes(value, max_bytes) if (StringIO === value || IO === value) && @context.lambda?

        json = begin
          GENERATE.call(value, max_nesting: @json_depth).dup.force_encoding(Encoding::UTF_8)
        rescue NoMemoryError, SystemExit, SignalException
          raise
        rescue Exception => e # rubocop:disable Lint/RescueException -- to_json may raise anything
          return error("result_not_json", e)
        end
        return plain_error("result_not_json", "the result is not valid UTF-8") unless json.valid_encoding?

        bytes = BYTES_OF.bind_call(json)
        return too_large(bytes, max_bytes) if bytes > max_bytes

        "r".b << json.b
      end

      def too_large(bytes, max_bytes)
        plain_error("result_too_large", "the result has #{bytes} bytes, and config.max_result_bytes is #{max_bytes}")
      end

      def kind_of(exception)
        case exception
        when NoMemoryError then "memory"
        when SystemExit, SignalException then "crash"
        when Errno::EFBIG, Errno::ENOSPC, Errno::EDQUOT then "scratch"
        when SyntaxError then own_code?(exception) ? "exception" : "syntax"
        else "exception"
        end
      end

      # A SyntaxError with a frame in the function was raised by code that ran, from an eval or a require.
      def own_code?(exception)
        frames(exception).any? { |line| line.start_with?("#{FILE}:") }
      end

      def error(kind, exception, context = nil)
        message = text_of(exception)
        message += hint(exception, context) if context
        name = name_of(exception)
        # AWS Lambda tells what failed before the first call from the rest.
        name = "Init<#{name}>" if @loads && @context&.lambda?
        encode(kind, name, message, frames(exception), wish(exception))
      end

      # Whether to try again: true, false, in how many seconds, or nothing where the function did not say.
      def wish(exception)
        case exception
        when NoRetry then false
        when Retry then exception.seconds&.finite? ? exception.seconds : true
        end
      rescue Exception # rubocop:disable Lint/RescueException -- function code may have redefined `seconds`
        nil
      end

      def plain_error(kind, message)
        encode(kind, nil, message, [])
      end

      def encode(kind, type, message, backtrace, retry_wish = nil)
        fields = { "kind" => kind, "type" => type, "message" => message, "backtrace" => backtrace }
        fields["retry"] = retry_wish unless retry_wish.nil?
        "e".b << GENERATE.call(fields).b
      end

      def name_of(exception)
        clean(NAME_OF.bind_call(CLASS_OF.bind_call(exception)) || "(anonymous class)")
      end

      def text_of(exception)
        return "the function called exit(#{exception.status})" if exception.instance_of?(SystemExit)

        message = exception.message
        String === message ? clean(message) : "(its message is no string)"
      rescue Exception # rubocop:disable Lint/RescueException -- a message method may raise anything
        "(its message raised)"
      end

      def frames(exception)
        lines = exception.backtrace
        return [] unless Array === lines

        lines.first(2 * @backtrace_lines).grep(String).map { |line| clean(line) }
             .reject { |line| line.start_with?(OWN_FRAME) }.first(@backtrace_lines)
      rescue Exception # rubocop:disable Lint/RescueException -- a backtrace method may raise anything
        []
      end

      # For what Ruby itself prints.
      def hide_own_frames(exception)
        while exception
          lines = exception.backtrace
          exception.set_backtrace(lines.reject { |line| line.start_with?(OWN_FRAME) }) if lines
          exception = exception.cause
        end
      rescue Exception # rubocop:disable Lint/RescueException -- a backtrace method may raise anything
        nil
      end

      # Which setting would have allowed what was refused, or where it is allowed.
      def hint(exception, context)
        top = exception.backtrace&.first(3)&.join("\n").to_s
        refused = PERMISSION_ERRORS.any? { |type| type === exception }
        if refused && !context.allows?("subprocesses") && top.match?(SUBPROCESS_FRAME)
          " (#{SUBPROCESS_HINT})"
        elsif !context.allows?("network") && (exception.class.name == "SocketError" || (refused && network?(exception, top)))
          " (#{NETWORK_HINT})"
        elsif WRITE_ERRORS.any? { |type| type === exception } && exception.message.match?(%r{ /tmp(?:/|\z)})
          " (#{SCRATCH_HINT})"
        elsif @layers && MISSING_FILE_ERRORS.any? { |type| type === exception } && exception.message.match?(%r{ /opt(?:/|\z)})
          " (#{LAYERS_HINT})"
        else
          ""
        end
      rescue Exception # rubocop:disable Lint/RescueException -- a hint must not cost the error
        ""
      end

      def network?(exception, top)
        top.match?(NETWORK_FRAME) || exception.message.match?(/(?:socket|connect|bind)\(2\)/)
      end

      # A file of a zip has its path in there, and one of a layer that below /opt, as on AWS Lambda.
      def clean(text)
        text = text.byteslice(0, @message_bytes).dup.force_encoding(Encoding::UTF_8).scrub("\u{FFFD}")
        text = (@shown || {}).reduce(text) { |shown, (path, name)| shown.gsub("#{path}/", name == "." ? "" : "#{name}/") }
        TemporaryFolder.told(text)
      end

      def flush
        $stdout.flush
        STDOUT.flush
      rescue StandardError
        nil
      end
    end
  end
end
