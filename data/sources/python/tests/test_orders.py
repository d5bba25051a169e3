from inventory.orders import Order, serve
from inventory.stock import Stock


def test_an_order_is_served_as_a_whole_or_not_at_all():
    stock = Stock()
    stock.put("bolt", 3)
    order = Order(1, [("bolt", 2), ("nut", 1)])
    assert not serve(stock, order)
    assert (stock["bolt"], stock["nut"]) == (3, 0)
