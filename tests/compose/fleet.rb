# The fleet that deploy/elsewhere/compose.yaml starts, on the embedded SQS and S3, and a client of it.
require "fileutils"
require "json"
require "net/http"
require "open3"
require "socket"
require "tmpdir"

class Fleet
  TOKEN = "a-token-of-the-tests"
  PATIENCE_SECONDS = 120
  FILES = %w[deploy/elsewhere/compose.yaml tests/compose/compose.yaml].flat_map { |file| ["--file", file] }
  COMPOSE = system("docker", "compose", "version", out: File::NULL, err: File::NULL) ? %w[docker compose] : %w[docker-compose]

  attr_reader :api

  def initialize(workers:)
    api_port, s3_port = Array.new(2) { TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] } }
    @api = URI("http://127.0.0.1:#{api_port}")
    @data = Dir.mktmpdir
    keys = { access_key_id: "tests", secret_access_key: "a-secret-of-the-tests" }
    File.write("#{@data}/credentials.json", JSON.generate(keys))
    @environment = {
      "API_PORT" => api_port.to_s, "S3_PORT" => s3_port.to_s, "DATA" => @data, "BADLAMBDA_API_TOKEN" => TOKEN,
      "AWS_ACCESS_KEY_ID" => keys[:access_key_id], "AWS_SECRET_ACCESS_KEY" => keys[:secret_access_key],
      "PUBLIC_S3_ENDPOINT" => "http://127.0.0.1:#{s3_port}"
    }
    compose("up", "--detach", "--no-build", "--scale", "worker=#{workers}", "sqs", "api", "worker")
    (containers("api") + containers("worker")).each { |container| healthy(container) }
  end

  def down
    compose("logs", "--no-color", log: "target/container/fleet.log")
    compose("down", "--volumes", "--timeout", "30")
    FileUtils.rm_rf(@data)
  end

  def run(*command, environment: {})
    output, status = Open3.capture2e(environment, *command)
    raise "#{command.join(" ")}: #{output}" unless status.success?

    output
  end

  def docker(*arguments) = run("docker", *arguments)

  def compose(*arguments, log: nil)
    output = run(*COMPOSE, "--project-name", "badlambda", *FILES, *arguments, environment: @environment)
    File.write(log, output) if log
  end

  def containers(service)
    docker("ps", "--all", "--quiet", "--filter", "label=com.docker.compose.service=#{service}").split.sort
  end

  def state(container) = JSON.parse(docker("inspect", container)).first["State"]

  # What the image's own health check finds.
  def healthy(container) = wait("#{container} to be healthy") { state(container).dig("Health", "Status") == "healthy" }

  def wait(what, seconds = PATIENCE_SECONDS)
    deadline = now + seconds
    loop do
      found = yield
      return found if found
      raise "waited #{seconds} s for #{what}" if now > deadline

      sleep 0.1
    end
  end

  def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

  def request(method, path, body = nil, headers = {})
    request = Net::HTTP.const_get(method).new(path, { "Authorization" => "Bearer #{TOKEN}" }.merge(headers))
    request.body = body
    answer = Net::HTTP.start(api.host, api.port, read_timeout: 60) { |http| http.request(request) }
    [answer.code.to_i, answer.body]
  end

  def create(name, code)
    status, body = request(:Post, "/v1/functions", JSON.generate(name:, code:), "Content-Type" => "application/json")
    raise body unless status == 201
  end

  # As a careful client does: with a key, until it is accepted, whatever becomes of the api meanwhile.
  def submit(function, input)
    key = rand(2**128).to_s(36)
    wait("a submit to be accepted") do
      status, body = request(:Post, "/v1/functions/#{function}/executions", JSON.generate(input), "Idempotency-Key" => key)
      raise "#{status}: #{body}" if status.between?(400, 499) && status != 429

      status == 202 && JSON.parse(body)["url"]
    rescue SystemCallError, EOFError, Net::OpenTimeout, Net::ReadTimeout
      nil
    end
  end

  def finished(url)
    wait("#{url} to finish") do
      _, body = request(:Get, url, nil, "Prefer" => "wait=20")
      execution = JSON.parse(body)
      execution if %w[succeeded failed cancelled].include?(execution["status"])
    end
  end

  # Messages in the queue and among the dead letters, visible or not.
  def depths
    script = <<~PYTHON
      import boto3, json
      sqs = boto3.client("sqs", region_name="us-east-1", endpoint_url="#{@environment["PUBLIC_S3_ENDPOINT"]}")
      def depth(queue):
          url = "http://sqs:9324/000000000000/badlambda-" + queue
          attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
          return sum(int(number) for name, number in attributes.items() if name.startswith("ApproximateNumberOf"))
      print(json.dumps([depth("executions"), depth("executions-dead-letters")]))
    PYTHON
    JSON.parse(run("target/python/bin/python", "-c", script, environment: @environment))
  end
end
