# What lies where.
class Stock
  class OutOfStock < StandardError; end

  attr_reader :counts

  def initialize
    @counts = Hash.new(0)
  end

  def put(code, count = 1)
    raise ArgumentError, "count is #{count}" unless count.positive?

    @counts[code] += count
  end

  def take(code, count = 1)
    raise OutOfStock, code if @counts[code] < count

    @counts[code] -= count
  end

  def low(limit) = @counts.select { |_, count| count < limit }.keys.sort
end
