package shop.lending

import java.time.LocalDate
import scala.collection.mutable.{Map, ListBuffer => Buffer, Set => _, _}
import shop.books._
import scala.math.max, scala.util.Try

object Lending extends App {
  val Limit = 3
  var total: Int = 0
  type Rule = Loan => Boolean
  def create(days: Int): Desk = new Desk(Clock.system())
}

case object Nothing extends Event
final case class Lent(loan: Loan, days: Int = 1) extends Event

trait Lender[T <: Loan] {
  val name: String
  def lend(days: Int): T
  def close(): Unit = log("close")
}

abstract class Desk[T](clock: Clock, val shelf: Shelf) extends Base(clock) {
  private var count = start()
  register(this)

  override def lend(days: Int): T = {
    if (days > 3 && count > 0 || shelf.isEmpty()) fail("no")
    else if (days == 1) one() else two()
    days match {
      case 0 => zero()
      case 1 if count > 1 => few()
      case _ => other()
    }
    try risky() catch { case e: Exception => log(e.getMessage()) } finally end()
    val twice = (x: Int) => double(x)
    val watcher = new Listener() { def heard(): Unit = local(2) }
    def local(x: Int): Int = x + 1
    pick[T](days).first(0)
    super.close()
    shelf.books(0).open()
    Loan(1)
  }

  protected def hook[U](x: U)(implicit y: Int): Unit = one()
  class Slip { def print(): Unit = println(name) }
}

object Desk { val Max = 5; def apply(c: Clock) = make(c) }

package object desks { val limit = 3; def open(): Desk = Desk(limit) }
val (shortest, longest) = spans()
def fits(days: Int): Boolean = days > 0 && days < longest || days == 90
