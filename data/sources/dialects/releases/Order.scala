package shop.lending

class LoanOrder extends Order[Loan] { self =>

  def hash(x: Loan): Int = x.hashCode()

  def compare(x: Loan, y: Loan): Int =
    if (x < y) -1 else if (x > y) 1 else 0

  override def eqv(x: Loan, y: Loan): Boolean = x == y
}
