defmodule Loan do
  def days(loan), do: loan.days + 1
end
