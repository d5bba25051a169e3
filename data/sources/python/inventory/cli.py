"""python -m inventory.cli put|take|show CODE [COUNT]"""

import argparse
import sys
from pathlib import Path

from . import storage


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["put", "take", "show"])
    parser.add_argument("code")
    parser.add_argument("count", type=int, nargs="?", default=1)
    args = parser.parse_args(argv)
    path = Path("stock.json")
    counts = storage.load(path)
    match args.what:
        case "put":
            counts[args.code] = counts.get(args.code, 0) + args.count
        case "take" if counts.get(args.code, 0) < args.count:
            print("not enough", file=sys.stderr)
            return 1
        case "take":
            counts[args.code] -= args.count
        case _:
            print(counts.get(args.code, 0))
            return 0
    storage.save(path, counts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
