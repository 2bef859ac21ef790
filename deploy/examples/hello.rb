# The smallest function: in the script form, the value of the last expression is the result.
#
#   ./deploy/badlambda run deploy/examples/hello.rb '{"name": "Ada"}'

{ greeting: "Hello, #{event.fetch("name")}!" }
