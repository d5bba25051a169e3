# @version 0.3.10
"""Lends things, with most of what Vyper's grammar has."""

from vyper.interfaces import ERC20
from vyper.interfaces import ERC721 as Things

implements: ERC20

interface Priced:
    def price(thing: uint256) -> uint256: view
    def pay(thing: uint256): payable

event Lent:
    who: indexed(address)
    thing: uint256

struct Loan:
    who: address
    until: uint256

enum State:
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
prices: uint256


@external
@payable
def __init__(start: uint256):
    pass
    START = start
    self.name = concat("a", "b")


@internal
@pure
def _most(a: uint256, b: uint256) -> uint256:
    return a if a > b else b


@external
@nonreentrant("lock")
def lend(thing: uint256, who: address = msg.sender) -> bool:
    """Lends a thing."""
    assert self.loans[thing].until < block.timestamp and who != empty(address), "lent"
    price: uint256 = Priced(who).price(thing)
    if price > 0 or who == self:
        Priced(self).pay(thing, value=price)
    elif not self._free(thing):
        raise "not free"
    else:
        pass
    for day in range(MAX_DAYS):
        if day % 2 == 0:
            continue
        self.prices += self._most(day, price)
    for each in [who, self]:
        self.balanceOf[each] += 1
    log Lent(who, thing)
    loan: Loan = Loan({who: who, until: block.timestamp + MAX_DAYS})
    self.loans[thing] = loan
    a: uint256 = 0
    b: uint256 = 0
    (a, b) = self._two()
    return True


@internal
@view
def _free(thing: uint256) -> bool:
    pass
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
