import pytest

from inventory.stock import OutOfStock, Stock


@pytest.fixture
def stock():
    stock = Stock()
    stock.put("bolt", 10)
    return stock


def test_what_is_put_can_be_taken(stock):
    stock.take("bolt", 4)
    assert stock["bolt"] == 6


def test_more_than_there_is_can_not_be_taken(stock):
    with pytest.raises(OutOfStock):
        stock.take("bolt", 11)
    assert stock["bolt"] == 10


@pytest.mark.parametrize("count", [0, -1])
def test_nothing_is_no_count(stock, count):
    with pytest.raises(ValueError):
        stock.put("bolt", count)
