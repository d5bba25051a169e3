require 'set'
require_relative 'shelf'

module Lending
  MAX_DAYS = 14

  class Loan < Shelf
    include Comparable
    attr_reader :name

    def initialize(name, *rest, days: MAX_DAYS)
      super(name)
      @name = name.strip
    end

    def self.fetch(name)
      new(name).tap { |loan| puts loan.name unless loan.empty? && name.nil? }
    end

    private

    def price(days)
      case days
      when 0..2 then 1
      else days > MAX_DAYS ? raise(Late, "late") : 3
      end
    end
  end
end

Lending::Loan.fetch('a')
