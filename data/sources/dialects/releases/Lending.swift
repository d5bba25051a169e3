import Foundation
import struct Shop.Loan
import class UIKit.UIView
@testable import Desk

let limit = 3
var total: Int = start()
private let (a, b) = (1, 2)
public var computed: Int { get { return read(1) } set { write(newValue) } }
typealias Rule = (Loan) -> Bool

@objc protocol Lender: AnyObject {
    associatedtype Item
    var name: String { get set }
    func lend(days: Int) throws -> Item
    init(clock: Clock)
    static func make() -> Self
    subscript(i: Int) -> Int { get }
}

enum State: String, CaseIterable {
    case open = "o", closed
    indirect case nested(State, at: Int)
    var text: String { switch self { case .open: return up("o"); default: return "x" } }
    func next() -> State { .closed }
}

struct Point<T: Numeric>: Equatable { var x: T
    mutating func move(by d: T) { x += d }
    static let zero = make()
}

@available(iOS 13, *)
open class Desk<T>: Base, Lender where T: Loan {
    private var count = begin()
    lazy var shelf: Shelf = { Shelf(1) }()
    static let shared = Desk(clock: Clock())
    var busy: Bool { count > 0 ? yes() : no() }
    var watched: Int = 0 { willSet { will(newValue) } didSet { did() } }

    public required init(clock: Clock) { super.init(clock: clock); warm() }
    convenience init?(name: String) { self.init(clock: Clock.system()) }
    deinit { release() }

    @discardableResult
    public override func lend(days: Int) async throws -> T {
        guard days > 0, let first = shelf.first else { throw Failure.none }
        if days > limit && count > 0 || shelf.isEmpty() { one() } else if days == 1 { two() }
        if let x = first, case .open = x.state { use(x) }
        for loan in loans where loan.open { loan.check(1) }
        while count > 3 { count -= 1 }
        repeat { count += 1 } while count < 3
        switch days {
        case 0: zero()
        case 1, 2: few()
        case let n where n > 5: many(n)
        default: other()
        }
        do { try risky() } catch Failure.none { log("a") } catch { log(error) }
        let twice = { (x: Int) -> Int in double(x) }
        loans.map { $0.title() }.filter(ok).forEach { use2($0) }
        let y = try? await later() ?? fallback()
        func local(_ x: Int) -> Int { return x + 1 }
        self.shelf?.books[0].open()
        first!.close()
        defer { end() }
        super.close()
        return Loan<T>(days)
    }

    static func create() -> Desk { Desk(clock: Clock()) }
    class func other() {}
    fileprivate func hidden() {}
    internal func inside() {}
    subscript(index: Int) -> Int { get { at(index) } }
    static func + (a: Desk, b: Desk) -> Desk { a }
    class Slip { func print() { Swift.print(name) } }
    enum Kind { case a }
}

extension Desk: Listener where T: Book {
    func heard() { local(1) }
    struct Ear {}
}
extension Shop.Loan {
    var late: Bool { check() }
    static func of() {}
}
actor Vault { func open() async {} }
func helper<T>(_ xs: T...) -> Int { xs.count }
prefix func - (x: Point<Int>) -> Point<Int> { neg(x) }
