# The function in the form of AWS Lambda, serverless-offline and Bad Lambda.
def handler(event:, context:)
  { greeting: "Hello, #{event["name"]}!" }
end
