// Functions to begin with, each with an input that shows what it does.

/** @typedef {{ id: string, title: string, about: string, code: string, input: string }} Example */

/** @type {Example[]} */
export const EXAMPLES = [
  {
    id: "script", title: "Script", about: "The last value is the result.", input: '{ "name": "Ada" }',
    code: `{ greeting: "Hello, #{event.fetch("name")}!" }
`,
  },
  {
    id: "handler", title: "Handler", about: "Prepares once, then answers many times.", input: '{ "width": 4000, "height": 3000, "size": "large" }',
    code: `# The top level runs once per version and worker. Each execution starts from that state.
LIMITS = { "small" => 320, "large" => 1_600 }.freeze

def handler(event:, context:)
  width, height = event.fetch_values("width", "height")
  scale = [LIMITS.fetch(event["size"]).fdiv([width, height].max), 1].min
  { width: (width * scale).round, height: (height * scale).round }
end
`,
  },
  {
    id: "logs", title: "Logs", about: "Writes lines while it works.", input: '{ "text": "the quick fox and the slow fox" }',
    code: `words = event.fetch("text").downcase.scan(/\\w+/)
puts "#{words.size} words"

words.tally.sort_by { |word, count| [-count, word] }.first(3).each do |word, count|
  puts "\\e[32m#{word}\\e[0m #{count}"
end
words.tally
`,
  },
  {
    id: "picture", title: "Picture", about: "Draws an SVG that can be shown.", input: '{ "values": [3, 7, 4, 9, 6] }',
    code: `bars = event.fetch("values").each_with_index.map do |value, at|
  %(<rect x="#{at * 24}" y="#{100 - value * 10}" width="20" height="#{value * 10}" fill="#b3123a"/>)
end
%(<svg xmlns="http://www.w3.org/2000/svg" width="#{bars.size * 24}" height="100">#{bars.join}</svg>)
`,
  },
];
