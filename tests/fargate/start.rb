# Starts the embedded SQS and S3 and the API, then becomes the worker, so that it is the container's first process
# as its own image would have it.
require "json"

ADDRESSES = "/tmp/addresses.json"
PROGRAMS = "/opt/badlambda"

aws = IO.popen(["#{PROGRAMS}/badlambda", "aws", "--data", "/tmp/data"])
addresses = JSON.parse(aws.gets)
settings = {
  "AWS_ENDPOINT_URL" => addresses["aws"],
  "AWS_ACCESS_KEY_ID" => addresses["access_key_id"],
  "AWS_SECRET_ACCESS_KEY" => addresses["secret_access_key"],
  "AWS_REGION" => addresses["region"],
  "BADLAMBDA_QUEUE_URL" => addresses["queue_url"],
  "BADLAMBDA_DEAD_LETTER_QUEUE_URL" => addresses["dead_letter_queue_url"],
  "BADLAMBDA_BUCKET" => addresses["bucket"]
}
spawn(settings, "#{PROGRAMS}/badlambda-api")
exec(settings, "#{PROGRAMS}/badlambda-worker")
