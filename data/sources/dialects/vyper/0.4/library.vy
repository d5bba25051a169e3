# pragma version ~=0.4.0
"""A module that others use."""

owner: address


@deploy
def __init__():
    self.owner = msg.sender


@internal
@view
def _check(who: address):
    assert who == self.owner, "not the owner"


@external
def transfer_ownership(to: address):
    self._check(msg.sender)
    self.owner = to
