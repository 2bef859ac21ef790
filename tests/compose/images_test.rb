# What is in the images: how large they are, what they start, and what lies in them.
require "json"
require "minitest/autorun"
require "open3"

MIB = 1024 * 1024

def docker(*arguments)
  output, messages, status = Open3.capture3("docker", *arguments)
  raise "docker #{arguments.join(" ")}: #{messages}" unless status.success?

  output
end

module Images
  def config = @config ||= JSON.parse(docker("inspect", "badlambda/#{name_of_image}")).first["Config"]

  # As a registry stores it.
  def test_it_is_small
    bytes = IO.popen("docker save badlambda/#{name_of_image} | gzip -6 | wc -c", &:read).to_i
    puts "#{name_of_image}: #{(bytes / 1e6).round(1)} MB compressed"
    assert_operator bytes, :<, most_mb * 1_000_000
  end

  def test_an_init_is_the_first_process_and_health_is_checked
    program = "/usr/local/bin/badlambda-#{name_of_image}"
    assert_equal ["/usr/bin/tini", "--", program], config["Entrypoint"]
    assert_equal ["CMD", program, "health"], config["Healthcheck"]["Test"]
  end

  def test_labels_tell_what_it_is_and_where_it_may_write
    labels = config["Labels"]
    %w[title description licenses base.name].each { |label| refute_empty labels["org.opencontainers.image.#{label}"] }
    assert_equal "test", labels["org.opencontainers.image.version"]
    assert_match(/\A\h{40}\z/, labels["org.opencontainers.image.revision"])
    assert_equal writable, labels["badlambda.writable"]
  end

  # Its file system, for tar.
  def exported(*arguments)
    container = docker("create", "--network", "none", "badlambda/#{name_of_image}").strip
    Open3.pipeline_r(["docker", "export", container], ["tar", *arguments]) { |output, _| output.read }
  ensure
    docker("rm", container)
  end

  def files
    @files ||= begin
      listing = exported("--list", "--verbose", "--numeric-owner")
      # What Docker itself puts into a container is empty.
      listing.lines(chomp: true).map { |line| line.split(" ", 6) }
        .reject { |mode, _, size, *| mode.start_with?("-") && size == "0" }
        .map { |mode, owner, *, path| [mode, owner, path] }
    end
  end

  def test_no_file_gives_rights
    assert_empty(files.select { |mode, _, _| mode.start_with?("-") && mode.match?(/[sS]/) })
  end

  def test_nobody_but_root_owns_or_changes_anything
    sticky = files.select { |mode, _, _| mode.end_with?("t") }.map(&:last)
    loose = files.reject { |mode, owner, path| mode[5] != "w" && mode[8] != "w" || mode.start_with?("l", "c") || sticky.include?(path) }
    assert_empty loose
  end

  def bill = JSON.parse(exported("--extract", "--to-stdout", config["Labels"].fetch("badlambda.sbom").delete_prefix("/")))

  def test_the_bill_of_materials_is_valid_and_names_what_is_in_it
    parts = bill
    check = <<~PYTHON
      import sys
      from cyclonedx.validation.json import JsonStrictValidator
      from cyclonedx.schema import SchemaVersion
      error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(sys.stdin.read())
      sys.exit(str(error) if error else 0)
    PYTHON
    said, status = Open3.capture2e("target/python/bin/python", "-c", check, stdin_data: JSON.generate(parts))
    assert_predicate status, :success?, said
    names = parts["components"].map { |part| part["name"] }
    assert_empty expected_parts - names
    assert_equal names.size, parts["components"].map { |part| part["purl"] }.uniq.size
  end
end

class ApiImageTest < Minitest::Test
  include Images
  def name_of_image = "api"
  def most_mb = 30
  def writable = ""
  def expected_parts = %w[tokio axum aws-sdk-sqs libc6 tini ca-certificates]

  def test_it_is_nobody
    assert_equal "65532:65532", config["User"]
  end

  def test_there_is_no_shell_and_no_other_program
    programs = files.select { |mode, _, _| mode.start_with?("-") && mode[3] == "x" }.map(&:last)
    programs.reject! { |path| path.match?(/\.so(\.|\z)/) || path.match?(%r{lib.*/ld-}) }
    assert_equal %w[usr/bin/tini usr/local/bin/badlambda-api], programs.sort
  end
end

class WorkerImageTest < Minitest::Test
  include Images
  def name_of_image = "worker"
  def most_mb = 120
  def writable = "/opt/jail/scratch /opt/jail/packages"
  def expected_parts = %w[tokio aws-sdk-sqs landlock seccompiler libc6 libruby3.3 tini]

  def run_in(*command, image: "badlambda/worker")
    docker("run", "--rm", "--network", "none", "--read-only", "--entrypoint", command.first, image, *command.drop(1))
  end

  def test_it_is_root_to_switch_uids
    assert_equal "0:0", config["User"]
  end

  def test_ruby_has_yjit
    assert_equal "true", run_in("ruby", "--yjit", "-e", "print RubyVM::YJIT.enabled?")
  end

  def test_the_jail_is_built_in_and_nothing_in_it_is_for_others_to_write
    assert_includes config["Env"], "BADLAMBDA_JAIL=/opt/jail"
    script = "find /opt/jail /var/lib/gems /usr/lib/ruby ! -type l ! -type c \\( -perm /022 -o ! -user root \\)"
    assert_empty run_in("sh", "-c", script)
    assert_match(%r{/opt/jail/var/lib/gems/\S*/twice}, run_in("find", "/opt/jail", "-name", "twice*"))
  end
end
