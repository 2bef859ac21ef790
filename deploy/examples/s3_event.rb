# Reads an S3 event notification straight from the queue, and sums up per bucket what came and what went.
#
#   ./deploy/badlambda run deploy/examples/s3_event.rb - < deploy/examples/s3_event.input.json
#
# S3 sends the notification as the message's whole body. A producer that can set the message attribute `function`
# names this function there; S3 itself sets none, so a worker on S3's queue has BADLAMBDA_DEFAULT_FUNCTION=s3_event.
#
# The format: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html

require "uri"

# S3 encodes keys as forms do: "red flower.jpg" arrives as "red+flower.jpg".
def key(record)
  URI.decode_www_form_component(record.dig("s3", "object", "key"))
end

def keys_of(records)
  records.map { |record| key(record) }.uniq.sort
end

def summary(records)
  created = records.select { |record| record["eventName"].start_with?("ObjectCreated:") }
  removed = records.select { |record| record["eventName"].start_with?("ObjectRemoved:") }
  {
    events: records.map { |record| record["eventName"] }.tally,
    created: keys_of(created),
    created_bytes: created.sum { |record| record.dig("s3", "object", "size") },
    removed: keys_of(removed)
  }
end

def handler(event:, context:)
  # S3 sends this once, when the notification is set up, to see whether it may.
  return { test_event_of: event["Bucket"] } if event.is_a?(Hash) && event["Event"] == "s3:TestEvent"
  raise ArgumentError, "this is no S3 event notification" unless event.is_a?(Hash) && event["Records"].is_a?(Array)

  by_bucket = event["Records"].group_by { |record| record.dig("s3", "bucket", "name") }
  { records: event["Records"].size, buckets: by_bucket.transform_values { |records| summary(records) } }
end
