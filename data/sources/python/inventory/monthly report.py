"""Prints what went in and out of the Größenlager, one line a code."""

MONTHS = ["Januar", "Februar", "März", "April"]


def totals(moves):
    result = {}
    for way, code, count in moves:
        came, went = result.get(code, (0, 0))
        result[code] = (came + count, went) if way == "in" else (came, went + count)
    return result


def lines(moves, month):
    yield f"Bericht für {MONTHS[month % len(MONTHS)]}"
    for code, (came, went) in sorted(totals(moves).items()):
        mark = "▲" if came > went else "▼" if came < went else " "
        yield f"{code:<12}{came:>6}{went:>6} {mark}"
