# /tmp, for code that was made for AWS Lambda, which writes there.
#
# No execution has a /tmp of its own. So paths that begin with /tmp are looked for in the scratch folder, by the methods of
# Ruby that take paths. This is a convenience and no wall: it changes nothing of what an execution may reach, and programs
# and libraries in C that open files themselves know nothing of it. It is defined for all and installed for few: until
# then, Ruby's methods are as they were.

module BadLambda
  module TemporaryFolder
    NAME = "/tmp"
    # Methods of classes, by which of their arguments are paths.
    PATHS = {
      0..0 => %i[
        atime birthtime ctime mtime blockdev? chardev? directory? empty? zero? executable? executable_real? exist? exists?
        file? ftype grpowned? lstat mkfifo owned? pipe? readable? readable_real? setgid? setuid? size size? socket? stat
        sticky? symlink? truncate world_readable? world_writable? writable? writable_real?
        binread binwrite foreach read readlines sysopen write
        children each_child entries mkdir rmdir
      ],
      0.. => %i[delete unlink identical? rename link symlink],
      0..1 => %i[copy_stream],
      1.. => %i[chmod lchmod],
      2.. => %i[chown lchown utime lutime],
    }.freeze
    # These answer paths, too.
    RESOLVING = %i[readlink realpath realdirpath].freeze

    class << self
      # Makes `folder` be /tmp, once. Paths in `folder` and in `others` stay what they are, even if they begin with /tmp.
      def install(folder, *others)
        return if @folder || folder.to_s.empty? || folder == NAME

        @folder = folder
        @kept = [folder, *others].compact
        [File, IO, Dir, FileTest].each { |one| one.singleton_class.prepend(class_methods(one)) }
        Dir.singleton_class.prepend(DirMethods)
        [File, Dir].each { |one| one.prepend(Opened) }
        [IO, File::Stat].zip([Reopened, Asked]) { |one, methods| one.prepend(methods) }
      end

      # Where a path of /tmp is. Anything else is given back as it is.
      def inside(path)
        # An open file has a path, too, and is none.
        text = IO === path || !path.respond_to?(:to_path) ? path : path.to_path
        return path unless within?(text, NAME) && @kept.none? { |folder| within?(text, folder) }

        moved(text, NAME, @folder)
      rescue EncodingError
        path
      end

      # The path of /tmp that is there.
      def outside(path)
        within?(path, @folder) ? moved(path, @folder, NAME) : path
      end

      # A text about the folder, with its paths as they were asked for.
      def told(text)
        @folder ? text.gsub(@folder, NAME) : text
      end

      # Whether the path is one of /tmp.
      def path?(path)
        !inside(path).equal?(path)
      end

      private

      def within?(text, folder)
        String === text && (text == folder || text.start_with?("#{folder}/"))
      end

      def moved(text, from, to)
        to + text.byteslice(from.bytesize..)
      end

      # The methods that `one` has itself, with paths looked up first.
      def class_methods(one)
        own = one.singleton_methods(false)
        Module.new do
          PATHS.each do |range, names|
            (names & own).each do |name|
              define_method(name) do |*arguments, **options, &block|
                paths = arguments[range]
                arguments[range] = paths.map { |path| TemporaryFolder.inside(path) } if paths
                super(*arguments, **options, &block)
              end
            end
          end
          (RESOLVING & own).each do |name|
            define_method(name) do |*paths|
              found = super(*paths.map { |path| TemporaryFolder.inside(path) })
              paths.any? { |path| TemporaryFolder.path?(path) } ? TemporaryFolder.outside(found) : found
            end
          end
        end
      end
    end

    # What Dir has beside that.
    module DirMethods
      def open(path, **options)
        opened = new(path, **options)
        return opened unless block_given?

        begin
          yield opened
        ensure
          opened.close
        end
      end

      def chdir(*path)
        folder = path.map { |one| TemporaryFolder.inside(one) }
        return super(*folder) unless block_given?

        super(*folder) { |home| yield(*path.first(1), *(home if path.empty?)) }
      end

      def glob(patterns, *flags, base: nil, **options)
        patterns = [*patterns]
        found = super(patterns.map { |one| TemporaryFolder.inside(one) }, *flags, base: TemporaryFolder.inside(base),
                      **options, &nil)
        found = found.map { |path| TemporaryFolder.outside(path) } if patterns.any? { |one| TemporaryFolder.path?(one) }
        return found unless block_given?

        found.each { |path| yield path }
        nil
      end

      def [](*patterns, **options)
        glob(patterns.flatten, **options)
      end
    end

    # A file or folder that is open says the path by which it was asked for. Kernel#open and File.open come to this, too.
    module Opened
      def initialize(path, *rest, **options)
        super(TemporaryFolder.inside(path), *rest, **options)
        @path_in_tmp = path.respond_to?(:to_path) ? path.to_path : path if TemporaryFolder.path?(path)
      end

      def path
        @path_in_tmp || super
      end

      def to_path
        @path_in_tmp || super
      end
    end

    # IO#reopen.
    module Reopened
      def reopen(other, *rest, **options)
        super(TemporaryFolder.inside(other), *rest, **options)
      end
    end

    # File::Stat.new.
    module Asked
      def initialize(path)
        super(TemporaryFolder.inside(path))
      end
    end
  end
end
