# Searches a catalogue for what was probably meant, by the trigrams that two names share.
# In the handler form the top level runs once per version and worker: building the index takes about a third of a
# second, and only the first execution waits for it. All start from the memory it left, each in its own process.
#
#   ./deploy/badlambda run deploy/examples/expensive_setup.rb '{"query": "brushd coper ketle", "limit": 3}'
#
# To see it, create the function on a worker that stays up (`./deploy/badlambda up`) and execute it twice there:
# `loaded` is the same in both results, since it was made with the index; `executed_by` is not. After a restart
# of the worker, or the next version, `loaded` is new.

require "securerandom"

def now_ms
  Process.clock_gettime(Process::CLOCK_MONOTONIC, :millisecond)
end

# "oak" gives "  o", " oa", "oak", "ak ": the beginning of a word weighs more than its end.
def trigrams(text)
  text.downcase.scan(/[[:alnum:]]+/).flat_map { |word| "  #{word} ".each_char.each_cons(3).map(&:join) }.uniq
end

STARTED_MS = now_ms

FINISHES = %w[antique bleached brushed carved dyed enamelled folding glazed hammered lacquered
              matte oiled painted polished quilted round striped tall tinted waxed].freeze
MATERIALS = %w[aluminium ash bamboo beech brass bronze ceramic copper cork cotton
               glass leather linen marble oak pewter porcelain silver steel velvet walnut wool].freeze
THINGS = %w[armchair basket bench blanket bookcase bowl chair clock cupboard cushion
            desk kettle lamp mirror mug shelf stool table teapot tray vase wardrobe].freeze

NAMES = FINISHES.product(MATERIALS, THINGS).map { |words| words.join(" ").freeze }.freeze
TRIGRAM_COUNTS = NAMES.map { |name| trigrams(name).size }.freeze
NAMES_BY_TRIGRAM = NAMES.each_with_index.with_object({}) do |(name, number), index|
  trigrams(name).each { |trigram| (index[trigram] ||= []) << number }
end.freeze

LOADED = { token: SecureRandom.hex(8), pid: Process.pid, took_ms: now_ms - STARTED_MS }.freeze

# Sørensen and Dice's coefficient: 1 where all trigrams are shared, 0 where none is.
def similarities(query)
  wanted = trigrams(query)
  shared = wanted.flat_map { |trigram| NAMES_BY_TRIGRAM.fetch(trigram, []) }.tally
  shared.map { |number, count| [2r * count / (wanted.size + TRIGRAM_COUNTS[number]), NAMES[number]] }
end

def handler(event:, context:)
  best = similarities(event.fetch("query")).min_by(event.fetch("limit", 5)) { |score, name| [-score, name] }
  {
    suggestions: best.map { |score, name| { name: name, similarity: score.to_f.round(3) } },
    catalogue_size: NAMES.size,
    loaded: LOADED,
    executed_by: { pid: Process.pid, execution_id: context.execution_id }
  }
end
