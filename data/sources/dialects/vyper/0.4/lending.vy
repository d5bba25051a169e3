# pragma version ~=0.4.0
"""Lends things, with most of what Vyper's grammar has."""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC721 as Things
import library

implements: IERC20
initializes: library
exports: library.transfer_ownership

interface Priced:
    def price(thing: uint256) -> uint256: view
    def pay(thing: uint256): payable

event Lent:
    who: indexed(address)
    thing: uint256

struct Loan:
    who: address
    until: uint256

flag State:
    FREE
    LENT

MAX_DAYS: constant(uint256) = 14
RATE: constant(uint256) = MAX_DAYS * 2
START: immutable(uint256)

name: public(String[32])
loans: public(HashMap[uint256, Loan])
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
totalSupply: public(uint256)
prices: transient(uint256)


@deploy
@payable
def __init__(start: uint256):
    library.__init__()
    START = start
    self.name = concat("a", "b")


@internal
@pure
def _most(a: uint256, b: uint256) -> uint256:
    return a if a > b else b


@external
@nonreentrant
def lend(thing: uint256, who: address = msg.sender) -> bool:
    """Lends a thing."""
    assert self.loans[thing].until < block.timestamp and who != empty(address), "lent"
    price: uint256 = staticcall Priced(who).price(thing)
    if price > 0 or who == library.owner:
        extcall Priced(self).pay(thing, value=price)
    elif not self._free(thing):
        raise "not free"
    else:
        pass
    for day: uint256 in range(MAX_DAYS):
        if day % 2 == 0:
            continue
        self.prices += self._most(day, price)
    for each: address in [who, self]:
        self.balanceOf[each] += 1
    log Lent(who=who, thing=thing)
    loan: Loan = Loan(who=who, until=block.timestamp + MAX_DAYS)
    self.loans[thing] = loan
    a: uint256 = 0
    b: uint256 = 0
    (a, b) = self._two()
    return True


@internal
@view
def _free(thing: uint256) -> bool:
    library._check(msg.sender)
    return max_value(uint256) > thing


@internal
def _two() -> (uint256, uint256):
    return 1, 2


@external
def transfer(to: address, amount: uint256) -> bool:
    return True


@external
def transferFrom(of: address, to: address, amount: uint256) -> bool:
    return True


@external
def approve(who: address, amount: uint256) -> bool:
    send(who, amount)
    raw_call(who, b"")
    return True


@external
@payable
def __default__():
    pass
