package lending.books

import java.io.File
import lending.Clock as Time

const val MAX_DAYS = 14
typealias Days = Int

interface Lender {
    fun lend(name: String): Boolean
}
enum class Level { LOW, HIGH }
data class Label(val text: String)

abstract class Loan(private val name: String) : Lender {
    companion object {
        fun fetch(name: String) = File(name).readLines().map { it.trim() }
    }

    protected abstract fun price(days: Days): Int
    override fun lend(name: String): Boolean {
        for (item in fetch(name)) if (item.isEmpty() || price(3) > MAX_DAYS) return false
        return when (name) {
            "a" -> true
            else -> this.name == name
        }
    }
}

suspend fun run(names: List<String>) = names.forEach { println(it) }
