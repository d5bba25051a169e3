@file:JvmName("Lending")
package shop.lending

import java.time.LocalDate
import kotlin.math.max as greatest
import shop.books.*

const val LIMIT = 3
val open = mutableListOf<Loan>()
var total: Int = 0
    get() = field
    set(value) { field = greatest(value, 0) }
lateinit var clock: Clock
val lazyName by lazy { name() }

typealias Rule = (Loan) -> Boolean

fun Loan.isLate(today: LocalDate): Boolean { return today.isAfter(until) }
fun <T : Loan> List<T>.late(): List<T> { return filter { it.isLate(LocalDate.now()) } }
infix fun Int.upTo(other: Int) { step(this, other) }
operator fun Loan.plus(other: Loan): Loan { return merge(other) }
private fun helper() {
    fun local(x: Int) = x + 1
    val watcher = object : Listener {
        override fun heard() { local(2) }
    }
    val twice = fun(x: Int): Int { return x * 2 }
    watcher.heard()
    shelf.books[0].open()
    first!!.close()
}

annotation class Audited(val by: String)

interface Lender {
    val name: String
    fun lend(days: Int): Loan
    fun close() { log("close") }
}

enum class State(val text: String) {
    OPEN("open") {
        override fun next() = CLOSED
    },
    CLOSED("closed") {
        override fun next() = OPEN
    };
    abstract fun next(): State
}

sealed class Event {
    object Nothing : Event()
    data class Lent(val loan: Loan) : Event()
    data object Ended : Event()
}

@Audited("desk")
open class Desk constructor(private val clock: Clock, val shelf: Shelf = Shelf()) : Base(clock), Lender {
    private var count = start()
    override val name: String
        get() = if (count > 0) "busy" else "free"

    init {
        register(this)
    }

    constructor(shelf: Shelf) : this(Clock.system(), shelf) { warm() }

    @Audited("lend")
    override fun lend(days: Int): Loan {
        val until = LocalDate.now().plusDays(days.toLong())
        if (days > LIMIT && count > 0 || shelf.isEmpty()) {
            throw IllegalStateException("no")
        }
        for (loan in open) loan.check { it.days > 1 }
        var n = 0
        while (n < 3) n++
        do { n-- } while (n > 0)
        return when (days) {
            0 -> Loan(until)
            1, 2 -> shelf.first()?.lend() ?: Loan.none()
            else -> shelf.pick<Loan>(days)!!
        }
    }

    internal suspend fun wait(): Int = try { await() } catch (e: Exception) { 0 } finally { done() }

    protected inner class Slip {
        fun print() = println(name)
    }

    companion object {
        const val MAX = 5
        @JvmStatic fun create(): Desk = Desk(Shelf())
    }

}
