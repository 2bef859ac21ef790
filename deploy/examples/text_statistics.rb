# Counts and measures a text in any script: words, sentences, what is said most often, and how hard it is to read.
# The event may name words to leave out of the ranking (`ignore`) and how many to rank (`top`, 10).
#
#   ./deploy/badlambda run deploy/examples/text_statistics.rb - < deploy/examples/text_statistics.input.json

# Letters and digits, with apostrophes and hyphens inside: "don't" and "ninety-four" are one word each.
WORD = /[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*/
# After a full stop and closing quotes, before anything but a lower-case letter; or between paragraphs.
SENTENCE_BREAK = /(?<=[.!?…])["'”’»)\]]*\s+(?=["'“‘«(\[]*[^\s\p{Ll}])|(?<=[。！？])|\n{2,}/
# Silent in English: the e of "time" and "asked", but not of "table" and "wanted".
SILENT_E = /(?<=[^aeiouy])(?<![^aeiouyl]l)e\z|(?<=[^aeioudty])e(?=d\z)/

# Flesch's formula of 1948. It is made for English; 60 and more is plain, below 30 is for specialists.
def reading_ease(words_per_sentence, syllables_per_word)
  206.835 - 1.015 * words_per_sentence - 84.6 * syllables_per_word
end

# An estimate: groups of vowels, accents aside, and at least one.
def syllables(word)
  bare = word.unicode_normalize(:nfd).gsub(/\p{M}/, "")
  [bare.sub(SILENT_E, "").scan(/[aeiouy]+/).size, 1].max
end

def median(sorted)
  middle = sorted.size / 2
  sorted.size.odd? ? sorted[middle] : (sorted[middle - 1] + sorted[middle]).fdiv(2)
end

def ranking(words, top)
  words.tally.sort_by { |word, count| [-count, word] }.first(top).map { |word, count| { word: word, count: count } }
end

# Composed first, so that é is the same letter however it was typed.
text = event.fetch("text").unicode_normalize(:nfc)
words = text.scan(WORD).map { |word| word.downcase.tr("’", "'") }
lengths = text.split(SENTENCE_BREAK).map { |sentence| sentence.scan(WORD).size }.reject(&:zero?).sort
raise ArgumentError, "the text has no words" if words.empty?

words_per_sentence = words.size.fdiv(lengths.size)
syllables_per_word = words.sum { |word| syllables(word) }.fdiv(words.size)
{
  characters: text.each_grapheme_cluster.count,
  words: words.size,
  unique_words: words.uniq.size,
  most_frequent: ranking(words - event.fetch("ignore", []), event.fetch("top", 10)),
  longest_word: words.uniq.max_by { |word| [word.length, word] },
  sentences: {
    count: lengths.size,
    shortest: lengths.first,
    median: median(lengths),
    mean: words_per_sentence.round(2),
    longest: lengths.last
  },
  readability: {
    method: "Flesch reading ease, syllables estimated",
    syllables_per_word: syllables_per_word.round(3),
    score: reading_ease(words_per_sentence, syllables_per_word).round(1)
  }
}
