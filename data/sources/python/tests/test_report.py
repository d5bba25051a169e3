import importlib

report = importlib.import_module("inventory.monthly report")


def test_a_line_for_each_code():
    moves = [("in", "bolt", 3), ("out", "bolt", 1), ("in", "nut", 2)]
    assert len(list(report.lines(moves, 2))) == 3
    assert report.totals(moves) == {"bolt": (3, 1), "nut": (2, 0)}
