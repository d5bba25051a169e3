package shop

import java.time.{LocalDate as Date, *}
import scala.util.Try as Attempt
import shop.books.*, shop.Clock
import shop.rules.given

val Limit = 3
var total = 0
type Rule = Loan => Boolean
opaque type Id = Int

enum State(val text: String):
  case Open extends State("o")
  case Closed extends State("c")
  def next: State = this match
    case Open => closed(1)
    case Closed => State.Open

trait Lender:
  def lend(days: Int): Loan
  def close(): Unit = log("close")

class Desk(clock: Clock) extends Lender:
  def lend(days: Int): Loan =
    if days > 3 && count > 0 then one(1)
    else if days == 1 then two(2)
    while days > 3 do step(days)
    for i <- 1 to 3 do use(i)
    Loan(days)
end Desk

extension (loan: Loan)
  def isLate: Boolean = check(loan)

given Ordering[Loan] with
  def compare(a: Loan, b: Loan): Int = a.days.compareTo(b.days)

@main def run(args: String*): Unit = top(1)

object Inner:
  val Deep = 1
  def apply() = make(2)

def guarded(): Int = try rule() catch case e: Error => report(e) finally done()
private class Guarded protected (x: Int) { def close(): Int = rule(x) }
val Some(found) = find(1)
val one, two = 1
val head :: rest = rules()
val all @ (late: Int, (Early, soon)) = both()
