# Writes logs in the three usual ways, which arrive as one stream in this order, and then fails two calls deep.
# The execution is `failed`; its error has the class, the message and the lines of this file that led there.
#
#   ./deploy/badlambda run deploy/examples/logs_and_raises.rb - < deploy/examples/logs_and_raises.input.json

require "logger"

class PaymentDeclined < StandardError
  def initialize(order, lacking_cents)
    super("the payment for order #{order} was declined: #{euros(lacking_cents)} short")
  end
end

# The record knows when and where each execution ran, so the line need not.
LOG = Logger.new($stdout, formatter: ->(severity, _time, _program, message) { "#{severity}: #{message}\n" })

def euros(cents)
  format("€ %d.%02d", *cents.divmod(100))
end

def charge(order, amount_cents, credit_cents)
  LOG.info("charging #{euros(amount_cents)} to the credit of #{euros(credit_cents)}")
  raise PaymentDeclined.new(order, amount_cents - credit_cents) if credit_cents < amount_cents

  credit_cents - amount_cents
end

def settle(order, amount_cents, credit_cents)
  puts "settling order #{order}"
  warn "the credit is low: #{euros(credit_cents)}" if credit_cents < 5000
  left_cents = charge(order, amount_cents, credit_cents)
  LOG.info("order #{order} is settled")
  { order: order, left_cents: left_cents }
end

settle(*event.values_at("order", "amount_cents", "credit_cents"))
