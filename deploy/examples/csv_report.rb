# Sums an orders file by region and by product, with percentiles of the order value, all in whole cents.
# A row that can't be read is reported with its line number, and the others still count.
#
#   ./deploy/badlambda run deploy/examples/csv_report.rb - < deploy/examples/csv_report.input.json

require "date"

BadRow = Class.new(StandardError)
Order = Struct.new(:date, :region, :product, :quantity, :cents)

CALENDAR_DATE = ->(text) { text.match?(/\A\d{4}-\d\d-\d\d\z/) && Date.valid_date?(*text.split("-").map(&:to_i)) }

# What each column that we use must hold, and how to say so to whoever sent the file.
COLUMNS = {
  "date" => [CALENDAR_DATE, "a date such as 2026-01-31"],
  "region" => [/\S/, "a region"],
  "product" => [/\S/, "a product"],
  "quantity" => [/\A[1-9]\d*\z/, "a whole number from 1 on"],
  "unit_price" => [/\A\d+\.\d\d\z/, "an amount such as 12.90"]
}.freeze

# RFC 4180 but for line breaks in quotes: so a quote that is never closed costs its own row, not all that follow.
FIELD = /"((?:[^"]|"")*+)"|([^",]*+)/
ROW = /\A(?:#{FIELD},)+\z/

def fields(line)
  closed = "#{line},"
  raise BadRow, "a quote is not closed, or stands inside a field" unless closed.match?(ROW)

  closed.scan(/\G#{FIELD},/).map { |quoted, plain| plain || quoted.gsub('""', '"') }
end

def parse_order(line, header)
  values = fields(line)
  raise BadRow, "#{values.size} fields instead of #{header.size}" unless values.size == header.size

  row = header.zip(values).to_h
  COLUMNS.each do |name, (valid, expected)|
    raise BadRow, "#{name} is \"#{row[name]}\", not #{expected}" unless valid === row[name]
  end
  date, region, product, quantity, unit_price = row.values_at(*COLUMNS.keys)
  Order.new(date, region, product, quantity.to_i, quantity.to_i * unit_price.delete(".").to_i)
end

def totals(orders, column)
  orders.group_by(&column).sort_by(&:first).to_h do |key, group|
    [key, { orders: group.size, units: group.sum(&:quantity), revenue_cents: group.sum(&:cents) }]
  end
end

# Nearest rank: the smallest value that at least `percent` % of the values do not exceed. Always one of them.
def percentile(sorted, percent)
  sorted[(percent * sorted.size - 1) / 100]
end

first_line, *lines = event.fetch("csv").delete_prefix("\uFEFF").lines(chomp: true)
header = fields(first_line.to_s)
missing = COLUMNS.keys - header
raise ArgumentError, "the header lacks #{missing.join(", ")}" unless missing.empty?

orders = []
rejected = []
lines.each.with_index(2) do |line, number|
  orders << parse_order(line, header) unless line.strip.empty?
rescue BadRow => e
  rejected << { line: number, reason: e.message }
end

values = orders.map(&:cents).sort
{
  orders: orders.size,
  first_date: orders.map(&:date).min,
  last_date: orders.map(&:date).max,
  revenue_cents: values.sum,
  by_region: totals(orders, :region),
  by_product: totals(orders, :product),
  order_value_cents: { method: "nearest-rank", **%w[50 90 99].to_h { |p| [:"p#{p}", percentile(values, p.to_i)] } },
  rejected: rejected
}
