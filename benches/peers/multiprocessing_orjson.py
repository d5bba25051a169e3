#!/usr/bin/env python3
"""Python's own pool of processes. With `--resume`, a list of what is done, synced after the records it stands for."""

import os
from functools import partial
from multiprocessing import Pool

import ast_record

SYNC_EVERY = 1000  # files
CHUNK = 64  # files that a process takes at a time


def cut_torn_line(path: str) -> None:
    """A process that was killed may have left half a line."""
    if os.path.exists(path):
        with open(path, "rb+") as file:
            file.truncate(file.read().rfind(b"\n") + 1)


def process(tree: str, path: str) -> tuple[str, bytes]:
    return path, ast_record.process(tree, path)


def sync(*files) -> None:
    for file in files:
        file.flush()
        os.fsync(file.fileno())


def main() -> None:
    parser = ast_record.arguments(__doc__)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    os.makedirs(args.state, exist_ok=True)
    records, done_list = (os.path.join(args.state, name) for name in ("records.ndjson", "done.list"))
    done = set()
    if not args.resume and os.path.exists(records):
        os.remove(records)
    if args.resume:
        cut_torn_line(records)
        cut_torn_line(done_list)
        with open(done_list, "ab+") as file:
            file.seek(0)
            done = {os.fsdecode(name) for name in file.read().split(b"\0\n")}
    due = [path for path in ast_record.find(args.tree) if path not in done]
    with open(records, "ab") as out, open(done_list, "ab") as names, Pool(args.workers) as pool:
        results = pool.imap_unordered(partial(process, args.tree), due, CHUNK)
        for number, (path, line) in enumerate(results, 1):
            out.write(line)
            if args.resume:
                names.write(os.fsencode(path) + b"\0\n")
            if args.resume and (number % SYNC_EVERY == 0 or number == len(due)):
                sync(out, names)


if __name__ == "__main__":
    main()
