# One execution in a Ruby of its own: the event is the first argument, the result goes to stdout.
require "json"

event = JSON.parse(ARGV.fetch(0))
puts JSON.generate({ greeting: "Hello, #{event["name"]}!" })
