package shop.lending

class Shared(private val flow: Flow<Loan>) : Flow<Loan> by flow {
    fun late(): Boolean {
        if (!flow.isEmpty()) return flow.first<Loan>(this)
        return (-Duration.INFINITE).isLate()
    }

    fun wake() {
        flow.close()
        (this as Object).notifyAll()
    }
}
