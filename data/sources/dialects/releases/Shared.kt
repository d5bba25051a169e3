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

fun lendAll(loans: List<Loan>) {
    if (loans.size > 1)
        for (loan in loans) {
            loan.open()
        }
    for (loan in loans) {
        if (loan.late()) loan.renew() else while (loan.isOpen) {
            loan.close()
        }
    }
}
