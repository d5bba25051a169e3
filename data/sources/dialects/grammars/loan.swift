import Foundation
import class UIKit.UIView

let maxDays = 14
var counter = 0
typealias Days = Int

protocol Lender { func lend(_ name: String) -> Bool }
enum Level: Int { case low = 1, high }
struct Label { let text: String }

public final class Loan: Shelf, Lender {
    private let name: String
    static var open = false

    init(name: String) { self.name = name; super.init() }

    func lend(_ name: String) -> Bool {
        guard let first = name.first, counter < maxDays else { return false }
        for item in items where item.isOpen { print(item.name.uppercased(), first) }
        return self.price(3) > 2 ? true : false
    }

    private func price(_ days: Days) -> Int { switch days { case 0: return 1; default: return days } }
}

extension Loan { static func fetch() async throws -> Loan { Loan(name: "a") } }
