# Draws a series as bars, and a second one as a line over them; the result is an SVG image in a string.
#
#   ./deploy/badlambda run deploy/examples/svg_chart.rb - < deploy/examples/svg_chart.input.json

class Chart
  WIDTH = 760
  HEIGHT = 420
  LEFT = 72
  RIGHT = WIDTH - 24
  TOP = 72
  BOTTOM = HEIGHT - 88
  BAR_COLOUR = "#4c78a8"
  LINE_COLOUR = "#d1495b"
  # What XML 1.0, section 2.2, leaves out.
  NOT_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/

  def initialize(title:, labels:, bars: nil, line: nil)
    @title = title
    @labels = labels
    @bars = bars
    @line = line
    @series = [bars, line].compact
    unless @series.any? && @series.all? { |series| series["values"].size == labels.size }
      raise ArgumentError, "bars, line or both must be given, with one value for each label"
    end

    @ticks = ticks(@series.flat_map { |series| series["values"] })
    @slot = (RIGHT - LEFT).fdiv(labels.size)
  end

  def svg
    <<~SVG
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 #{WIDTH} #{HEIGHT}" role="img"
        font-family="sans-serif" font-size="12">
      <title>#{escape(@title)}</title>
      <rect width="100%" height="100%" fill="#fff"/>
      <text x="#{LEFT}" y="30" font-size="18">#{escape(@title)}</text>
      #{[legend, grid, bars, line, labels].flatten.join("\n")}
      </svg>
    SVG
  end

  private

  # About five round steps, from at most zero to at least the highest value.
  def ticks(values)
    low, high = [0, *values].minmax
    high = 1 if low == high
    rough = (high - low).to_r / 5
    power = 10r**Math.log10(rough).floor
    step = [1, 2, 5, 10].map { |factor| factor * power }.find { |candidate| candidate >= rough }
    (low / step).floor.upto((high / step).ceil).map { |count| count * step }
  end

  def y(value)
    (BOTTOM - (value - @ticks.first) * (BOTTOM - TOP) / (@ticks.last - @ticks.first)).to_f.round(1)
  end

  # The middle of a slot.
  def x(index)
    (LEFT + (index + 0.5) * @slot).round(1)
  end

  def legend
    @series.map.with_index do |series, row|
      colour = series.equal?(@bars) ? BAR_COLOUR : LINE_COLOUR
      %(<text x="#{RIGHT}" y="#{26 + 18 * row}" text-anchor="end" fill="#{colour}">#{escape(series["name"])}</text>)
    end
  end

  def grid
    @ticks.map do |tick|
      %(<path d="M#{LEFT} #{y(tick)}H#{RIGHT}" stroke="#{tick.zero? ? "#555" : "#ddd"}"/>) +
        %(<text x="#{LEFT - 8}" y="#{y(tick) + 4}" text-anchor="end">#{number(tick)}</text>)
    end
  end

  def bars
    points(@bars).map do |index, value|
      top, bottom = [y(value), y(0)].minmax
      width = (@slot * 0.7).round(1)
      %(<rect x="#{(x(index) - width / 2).round(1)}" y="#{top}" width="#{width}" height="#{(bottom - top).round(1)}" ) +
        %(fill="#{BAR_COLOUR}">#{tooltip(index, value)}</rect>)
    end
  end

  def line
    return [] unless @line

    path = points(@line).map { |index, value| "#{x(index)},#{y(value)}" }.join(" ")
    dots = points(@line).map do |index, value|
      %(<circle cx="#{x(index)}" cy="#{y(value)}" r="4" fill="#{LINE_COLOUR}">#{tooltip(index, value)}</circle>)
    end
    [%(<polyline points="#{path}" fill="none" stroke="#{LINE_COLOUR}" stroke-width="2"/>), *dots]
  end

  def labels
    @labels.map.with_index do |label, index|
      place = "translate(#{x(index)} #{BOTTOM + 18}) rotate(-30)"
      %(<text transform="#{place}" text-anchor="end">#{escape(label)}</text>)
    end
  end

  def points(series)
    series ? series["values"].each_with_index.map { |value, index| [index, value] } : []
  end

  def tooltip(index, value)
    "<title>#{escape(@labels[index])}: #{number(value)}</title>"
  end

  def number(value)
    value == value.to_i ? value.to_i.to_s : value.to_f.to_s
  end

  # Markup is escaped, and what XML does not allow at all is dropped.
  def escape(text)
    text.gsub(NOT_XML, "").encode("UTF-8", xml: :text)
  end
end

Chart.new(**event.transform_keys(&:to_sym)).svg
