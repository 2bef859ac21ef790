# /tmp, method by method, in plain Ruby. The tests' own scratch folder is in the machine's /tmp, as it may be without a jail.

require "csv"
require "fileutils"
require "json"
require "logger"
require "minitest/autorun"
require "open3"
require "pathname"
require "rbconfig"
require "tempfile"
require "tmpdir"

class TemporaryFolderTest < Minitest::Test
  FILE = File.expand_path("../temporary_folder.rb", __dir__)

  # What each piece of code answers, all in one process where `folder` is /tmp and is emptied before each; and what is in
  # the folder at the end.
  def run_all(codes, package: nil)
    Dir.mktmpdir do |folder|
      program = <<~RUBY
        %w[csv fileutils json logger pathname stringio tempfile tmpdir].each { |library| require library }
        FOLDER, PACKAGE, HOME = #{[folder, package, Dir.pwd].inspect}
        #{File.read(FILE)}
        BadLambda::TemporaryFolder.install(FOLDER, PACKAGE)
        answers = JSON.parse($stdin.read).map do |code|
          Dir.chdir(HOME)
          FileUtils.rm_rf(Dir.children(FOLDER).map { |name| File.join(FOLDER, name) })
          eval(code)
        rescue SystemCallError => e
          e.class.name
        end
        $stderr.puts JSON.generate(answers)
      RUBY
      _, told, = Open3.capture3({ "TMPDIR" => folder }, RbConfig.ruby, "-e", program, stdin_data: JSON.generate(codes))
      answers = JSON.parse(told.lines.last) rescue flunk(told)
      [answers, Dir.children(folder).sort]
    end
  end

  def assert_answers(cases, before = "", **options)
    answers, = run_all(cases.map { |code, _| before + code }, **options)
    cases.zip(answers) { |(code, expected), answer| assert_equal expected, answer, code }
  end

  def test_what_asks_about_a_path
    yes = %w[exist? file? readable? readable_real? writable? writable_real? owned? size? grpowned?]
    no = %w[blockdev? chardev? directory? empty? zero? executable? executable_real? pipe? setgid? setuid? socket? sticky?
            symlink? world_readable? world_writable?]
    written = 'File.write("/tmp/a", "abc"); File.chmod(0o600, "/tmp/a"); '
    asked = [File, FileTest].product(yes, no).flat_map { |one, a, b| [[one, a, true], [one, b, false]] }.uniq
    cases = asked.map { |one, name, expected| ["#{one}.#{name}('/tmp/a') ? true : false", expected] }
    cases += %w[atime mtime ctime].map { |name| ["File.#{name}('/tmp/a').is_a?(Time)", true] }
    cases += [
      ['[File.size("/tmp/a"), FileTest.size("/tmp/a"), File.stat("/tmp/a").size, File.lstat("/tmp/a").size]', [3] * 4],
      ['[File.ftype("/tmp/a"), File::Stat.new("/tmp/a").file?, File.identical?("/tmp/a", FOLDER + "/a")]', ["file", true, true]],
      ['[File.exist?("/tmp"), File.directory?("/tmp/"), Dir.exist?("/tmp"), File.exist?("/tmpx")]', [true, true, true, false]],
      ['File.birthtime("/tmp/a").is_a?(Time) rescue NotImplementedError == $!.class', true],
    ]
    assert_answers(cases, written)
  end

  def test_what_reads_and_writes
    assert_answers([
      ['File.write("/tmp/a", "1\n2"); [File.read("/tmp/a"), IO.read("/tmp/a"), File.binread("/tmp/a"), File.readlines("/tmp/a", chomp: true)]', ["1\n2", "1\n2", "1\n2", %w[1 2]]],
      ['File.binwrite("/tmp/a", "xyz"); IO.write("/tmp/a", "A", 1); File.read("/tmp/a", 2, 1, mode: "rb")', "Az"],
      ['IO.write("/tmp/a", "1\n2"); File.foreach("/tmp/a", chomp: true).to_a', %w[1 2]],
      ['File.open("/tmp/a", "w") { |file| file << "b" }; File.open("/tmp/a", &:read)', "b"],
      ['file = File.new("/tmp/a", File::CREAT | File::WRONLY, 0o600); file.close; [file.path, file.to_path]', %w[/tmp/a /tmp/a]],
      ['open("/tmp/a", "w", encoding: "UTF-8") { |file| file.print("c") }; open("/tmp/a") { |file| file.read }', "c"],
      ['open(Pathname("/tmp/a"), "w") { |file| file.print("p") }; Pathname("/tmp/a").read + Pathname("/tmp").join("a").open(&:read)', "pp"],
      ['IO.for_fd(IO.sysopen("/tmp/a", "w")).then { |io| io << "d"; io.close }; File.read("/tmp/a")', "d"],
      ['File.write("/tmp/a", "abc"); IO.copy_stream("/tmp/a", "/tmp/b", 2, 1); [File.read("/tmp/b"), StringIO.new.tap { |io| IO.copy_stream("/tmp/b", io) }.string, File.open("/tmp/c", "w") { |c| IO.copy_stream(File.open("/tmp/a"), c) }]', ["bc", "bc", 3]],
      ['File.write("/tmp/a", "abc"); File.truncate("/tmp/a", 1); File.read("/tmp/a")', "a"],
      ['$stdout.reopen("/tmp/a", "w"); $stdout.print("e"); $stdout.flush; File.read("/tmp/a")', "e"],
      ['File.write("/tmp/\u00e9".encode("ISO-8859-1"), "l"); Dir.children("/tmp").size', 1],
      ['File.open(FOLDER + "/a", "w") { |file| file.path == FOLDER + "/a" }', true],
      ['File.read("/tmp/missing")', "Errno::ENOENT"],
    ])
  end

  def test_what_changes_names_rights_and_times
    assert_answers([
      ['File.write("/tmp/a", ""); [File.rename("/tmp/a", "/tmp/b"), File.exist?("/tmp/b")]', [0, true]],
      ['File.write("/tmp/a", "x"); File.link("/tmp/a", "/tmp/b"); File.read("/tmp/b")', "x"],
      ['File.write("/tmp/a", "x"); File.symlink("/tmp/a", "/tmp/b"); [File.read("/tmp/b"), File.readlink("/tmp/b"), File.realpath("/tmp/b"), File.realdirpath("c", "/tmp"), File.symlink?("/tmp/b")]', ["x", "/tmp/a", "/tmp/a", "/tmp/c", true]],
      ['File.write("/tmp/a", ""); File.write("/tmp/b", ""); [File.delete("/tmp/a"), File.unlink("/tmp/b"), Dir.empty?("/tmp")]', [1, 1, true]],
      ['File.write("/tmp/a", ""); File.chmod(0o640, "/tmp/a"); File.stat("/tmp/a").mode & 0o777', 0o640],
      ['File.write("/tmp/a", ""); [File.chown(nil, nil, "/tmp/a"), File.lchown(nil, nil, "/tmp/a")]', [1, 1]],
      ['File.write("/tmp/a", ""); File.utime(1, 2, "/tmp/a"); t = File.mtime("/tmp/a").to_i; File.lutime(1, 3, "/tmp/a"); [t, File.mtime("/tmp/a").to_i]', [2, 3]],
      ['File.mkfifo("/tmp/a"); File.pipe?("/tmp/a")', true],
    ])
  end

  def test_folders
    made = 'Dir.mkdir("/tmp/d", 0o700); File.write("/tmp/d/a", ""); File.write("/tmp/d/b", ""); '
    assert_answers([
      ['[Dir.children("/tmp/d").sort, Dir.entries("/tmp/d").size, Dir.each_child("/tmp/d").sort, Dir.foreach("/tmp/d").to_a.size]', [%w[a b], 4, %w[a b], 4]],
      ['[Dir.glob("/tmp/d/*").sort, Dir["/tmp/*", "/tmp/d/a"], Dir.glob(["a", "*"], base: "/tmp/d").uniq.sort, Dir.glob("/tmp/**/b")]', [%w[/tmp/d/a /tmp/d/b], %w[/tmp/d /tmp/d/a], %w[a b], %w[/tmp/d/b]]],
      ['found = []; [Dir.glob("/tmp/d/*") { |path| found << path }, found.sort, Pathname.glob("/tmp/d/a").map(&:to_s), Pathname("/tmp/d").children.map(&:to_s).sort]', [nil, %w[/tmp/d/a /tmp/d/b], %w[/tmp/d/a], %w[/tmp/d/a /tmp/d/b]]],
      ['[Dir.open("/tmp/d") { |dir| [dir.path, dir.children.sort] }, Dir.new("/tmp/d").each_child.sort, Dir.new("/tmp/d").to_path]', [["/tmp/d", %w[a b]], %w[a b], "/tmp/d"]],
      ['[Dir.chdir("/tmp/d") { |path| [path, File.exist?("a")] }, Dir.chdir("/tmp/d"), File.exist?("b")]', [["/tmp/d", true], 0, true]],
      ['[File.unlink(*Dir.glob("/tmp/d/*")), Dir.rmdir("/tmp/d"), Dir.exist?("/tmp/d")]', [2, 0, false]],
      ['File.delete("/tmp/d/a", "/tmp/d/b"); Dir.mkdir("/tmp/e"); [Dir.unlink("/tmp/d"), Dir.delete("/tmp/e"), Dir.empty?("/tmp")]', [0, 0, true]],
    ], made)
  end

  def test_libraries
    assert_answers([
      ['CSV.open("/tmp/a.csv", "w") { |csv| csv << [1, 2] }; CSV.read("/tmp/a.csv")', [%w[1 2]]],
      ['log = Logger.new("/tmp/a.log", 2, 60); 5.times { log.info("hello") }; log.close; Dir.glob("/tmp/*.log*").sort', %w[/tmp/a.log /tmp/a.log.0]],
      ['Tempfile.create("x", "/tmp") { |file| file << "y"; file.flush; [file.path.start_with?("/tmp/x"), File.read(file.path)] }', [true, "y"]],
      ['file = Tempfile.new("x"); file << "y"; file.close; [File.read(file.path), file.path.start_with?(FOLDER)]', ["y", true]],
      ['Dir.mktmpdir("x", "/tmp") { |path| File.write("#{path}/a", ""); [path.start_with?("/tmp/x"), Dir.children(path)] }', [true, ["a"]]],
      ['FileUtils.mkdir_p("/tmp/a/b"); FileUtils.touch("/tmp/a/b/c"); FileUtils.cp_r("/tmp/a", "/tmp/z"); FileUtils.mv("/tmp/z/b/c", "/tmp/d"); FileUtils.rm_rf("/tmp/a"); FileUtils.remove_entry_secure("/tmp/z"); Dir.children("/tmp")', ["d"]],
      ['FileUtils.cd("/tmp") { File.write("a", "b") }; FileUtils.cp("/tmp/a", "/tmp/c"); [FileUtils.compare_file("/tmp/a", "/tmp/c"), FileUtils.ln_s("/tmp/a", "/tmp/l")]', [true, 0]],
      ['Pathname("/tmp/a/b").mkpath; Pathname("/tmp/a/b/c").write("x"); [Pathname("/tmp/a/b/c").exist?, Pathname("/tmp/a").find.map(&:to_s).sort].tap { Pathname("/tmp/a").rmtree }', [true, %w[/tmp/a /tmp/a/b /tmp/a/b/c]]],
    ])
  end

  def test_it_all_is_in_the_folder_and_nothing_is_in_tmp
    name = "badlambda-#{Process.pid}"
    _, left = run_all([%(File.write("/tmp/#{name}", "x"); File.write("/tmp/./#{name}-2", "x"))])
    assert_equal [name, "#{name}-2"], left
    refute File.exist?("/tmp/#{name}")
  end

  def test_what_is_elsewhere_stays_there
    Dir.mktmpdir do |package|
      File.write("#{package}/data", "d")
      assert_answers([
        ['[File.read(PACKAGE + "/data"), Dir.glob(PACKAGE + "/*"), Dir.children(PACKAGE)]', ["d", ["#{package}/data"], ["data"]]],
        ['File.realpath(PACKAGE + "/data") == PACKAGE + "/data"', true],
        ['r, w = IO.pipe; w << "x"; w.close; [File.exist?("/usr"), r.read, File.open("/dev/null", &:read)]', [true, "x", ""]],
      ], package: package)
    end
  end

  def test_until_it_is_installed_ruby_is_as_it_was
    program = "before = [File.method(:read), Dir.method(:glob), File.instance_method(:path)].map(&:owner)\n#{File.read(FILE)}\n" \
              "exit before == [File.method(:read), Dir.method(:glob), File.instance_method(:path)].map(&:owner)"
    assert system(RbConfig.ruby, "-e", program)
  end
end
