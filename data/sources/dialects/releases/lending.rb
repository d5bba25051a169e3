require "json"
require_relative "shelf"
load 'setup.rb'
require("set")
require name

LIMIT = 3
total, other = 0, 1
$clock = Clock.new
@state = 1
@@all = []
MAX ||= 5
Point = Struct.new(:x, :y) do
  def dist; Math.sqrt(x); end
end

module Shop
  module Lending
    RATE = 0.5
    def self.open?; true; end
    module_function
    def helper; end
  end
end

module Shop::Books
  class Index; end
end

class Shop::Desk < Base
  include Comparable
  extend Forwardable
  attr_accessor :name, :count
  attr_reader :clock
  LIMITS = [1, 2].freeze
  alias_method :shut, :close
  alias open2 open

  class << self
    def create(*args) = new(*args)
    attr_accessor :config
    private
    def build; new; end
  end

  def initialize(clock, shelf: nil, &block)
    super(clock)
    @clock = clock
  end

  def lend(days)
    if days > LIMIT && count > 0 || !clock
      raise ArgumentError, "no"
    elsif days == 1 and name
      one
    else
      two()
    end
    puts "x" unless days
    warn "y" if days
    days -= 1 while days > 3
    days += 1 until days > 3
    while days > 1 do days -= 1 end
    for i in 1..3 do step(i) end
    case days
    when 0 then zero
    when 1, 2 then few(1)
    else many
    end
    case days
    in 0 then zero(1)
    in Integer => n if n > 3 then big(n)
    end
    begin
      risky
    rescue ArgumentError, TypeError => e
      log(e.message)
    ensure
      finish(1)
    end
    value = (Integer(days) rescue 0)
    loans.each { |loan| loan.check(1) }
    loans.map(&:title).select do |t| t.empty? end
    twice = ->(x) { double(x) }
    handler = lambda { |x| handle(x) }
    @shelf&.first(1)
    ::Kernel.exit(0)
    days > 1 ? a(1) : b(2)
    yield days
    self.name = "x"
    block.call(1)
    block.(2)
  end

  def self.find(id) = Store.find(id)
  def ==(other) = id == other.id
  def [](i) = @loans[i]
  def name=(value); @name = value; end
  def late? = true
  define_method(:close) { |reason| log(reason) }
  define_method "shut!" do finish end
  private def hidden; end
  protected

  def guarded; end

  class Error < StandardError; end
  Klass = Class.new(Base) { def inside; end }
end

def top(x) = helper(x)
END { bye(1) }

class ::Outer
  def close; ::Kernel.exit(0); end
end
