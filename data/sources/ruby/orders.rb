require_relative 'stock'

Order = Struct.new(:number, :lines) do
  def serve(stock)
    taken = {}
    lines.each do |code, count|
      stock.take(code, count)
      taken[code] = count
    end
    true
  rescue Stock::OutOfStock
    taken.each { |code, count| stock.put(code, count) }
    false
  end
end
