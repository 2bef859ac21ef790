# What some code finds around it: the files and gems of its zip, the libraries of its layers, and what AWS Lambda's runtime
# offers.

module BadLambda
  module Runner
    USUAL_FILE = "function"
    LAMBDA_LIBRARIES = %w[logger net/http uri].freeze

    class << self
      private

      # Loads the handler's file from what was in a zip. The handler is `file.method` or `file.Class.method`.
      def load_package(root, handler)
        file, *names = handler.empty? ? [USUAL_FILE] : handler.split(".", 3)
        method = names.pop
        require "#{root}/#{file}"
        @receiver = names.empty? ? MAIN : Object.const_get(names.first)
        @handler = names.empty? ? handler_name(method.to_s) : method.to_sym
        return if @handler && @receiver.respond_to?(@handler, true)

        no_method("#{file}.rb defines no method #{[*names, method || HANDLERS.join(" or ")].join(".")}")
      end

      # What the zip and the layers bring comes before what the machine has. In what is made for AWS Lambda, RUBYLIB and
      # GEM_PATH name these folders, and where the function's config sets them, they say which ones count.
      def offer_libraries(package, context)
        know_folders(package, context)
        version = RbConfig::CONFIG["ruby_version"]
        gems = [below(package, "vendor/bundle/ruby/#{version}"), below(@layers, "ruby/gems/#{version}")]
        libraries = folders("RUBYLIB", [package, below(@layers, "ruby/lib")], context)
        gems = folders("GEM_PATH", gems, context)
        $LOAD_PATH.unshift(*[package, *libraries].compact.uniq)
        use_gems(gems) unless gems.empty?
        return unless context.lambda?

        ENV["RUBYLIB"] = libraries.join(":")
        ENV["GEM_PATH"] = Gem.path.join(":")
      end

      # The real folders of code and layers, and what they are called in errors: on AWS Lambda, that is where they are.
      def know_folders(package, context)
        @layers = ENV["BADLAMBDA_LAYERS_ROOT"]
        @shown = { @layers => "/opt", package => context.lambda? ? "/var/task" : "." }.except(nil)
      end

      # Those of the usual folders that are there; or of the ones that the config names, by what they are called.
      def folders(variable, usual, context)
        named = ENV[variable] if context.lambda?
        named &&= named.split(":").map { |folder| real(folder) }
        (named || usual.compact).select { |folder| File.directory?(folder) }
      end

      def real(folder)
        path, name = @shown.find { |_, name| folder == name || folder.start_with?("#{name}/") }
        path ? path + folder.delete_prefix(name) : folder
      end

      def below(root, path)
        root && File.join(root, path)
      end

      def use_gems(folders)
        Gem.paths = { "GEM_HOME" => folders.first, "GEM_PATH" => [*folders, *Gem.path].join(":") }
      end

      # What AWS Lambda's runtime has loaded, a /tmp to write to, and where it starts.
      def offer_lambda(root)
        LAMBDA_LIBRARIES.each { |library| require library }
        # Code begins in its scratch folder.
        TemporaryFolder.install(Dir.pwd, root, ENV["BADLAMBDA_LAYERS_ROOT"])
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
