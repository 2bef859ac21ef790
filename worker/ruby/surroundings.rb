# What only some code finds around it: what came in a zip its files and gems, and what was made for AWS Lambda, what it has
# there.

module BadLambda
  module Runner
    USUAL_FILE = "function"
    LAMBDA_LIBRARIES = %w[logger net/http uri].freeze

    class << self
      private

      # Loads the handler's file from what was in a zip. The handler is `file.method` or `file.Class.method`.
      def load_package(root, handler)
        @package = "#{root}/"
        file, *names = handler.empty? ? [USUAL_FILE] : handler.split(".", 3)
        method = names.pop
        $LOAD_PATH.unshift(root)
        use_gems("#{root}/vendor/bundle/ruby/#{RbConfig::CONFIG["ruby_version"]}")
        require "#{root}/#{file}"
        @receiver = names.empty? ? MAIN : Object.const_get(names.first)
        @handler = names.empty? ? handler_name(method.to_s) : method.to_sym
        return if @handler && @receiver.respond_to?(@handler, true)

        no_method("#{file}.rb defines no method #{[*names, method || HANDLERS.join(" or ")].join(".")}")
      end

      # Gems of a folder that Bundler has made come before those of the machine.
      def use_gems(folder)
        Gem.paths = { "GEM_HOME" => folder, "GEM_PATH" => [folder, *Gem.path].join(":") } if File.directory?(folder)
      end

      # What AWS Lambda's runtime has loaded, a /tmp to write to, and where it starts.
      def offer_lambda(root)
        LAMBDA_LIBRARIES.each { |library| require library }
        # Code begins in its scratch folder.
        TemporaryFolder.install(Dir.pwd, root)
        @task_root = root
        Dir.chdir(root) if root
      end

      # AWS Lambda's runtime sends what can be read as it is.
      def bytes(readable, max_bytes)
        content = readable.read(max_bytes + 1) || ""
        return too_large("over #{max_bytes}", max_bytes) if BYTES_OF.bind_call(content) > max_bytes

        "b".b << content.b
      end
    end
  end
end
