package lending.books

import scala.collection.mutable.{Map => Table, Set}
import lending._

trait Lender { def lend(name: String): Boolean }
case class Label(text: String)

object Loan {
  val MaxDays = 14
  type Days = Int
  def fetch(name: String): Loan = new Loan(name)
}

class Loan(private val name: String) extends Shelf with Lender {
  private val items = Table.empty[String, Int]
  override def lend(name: String): Boolean = {
    for (item <- items.keys if item.nonEmpty) println(item.trim)
    if (name.isEmpty && price(3) > Loan.MaxDays) false else true
  }
  protected def price(days: Loan.Days): Int = days match {
    case 0 => 1
    case n if n > 2 => Loan.fetch(name).price(n)
  }
}
