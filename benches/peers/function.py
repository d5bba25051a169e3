#!/usr/bin/env python3
"""One Python function over a tree, by Outlast and by its peers, in turn: who calls it how fast.

    python3 benches/peers/function.py [PEER ...] [--files 60000 --kib 4 --rounds 5]

Each peer finds the files, calls the same function for each with two processes, and leaves a line of JSON with path and
result for each. Outlast hashes each file, remembers it and syncs; the others do not. Time is that of the whole command.
Nothing is installed: a peer that is missing is named, with what installs it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def parse(path: Any) -> dict[str, int]:
    """The work: takes what has `read_bytes`, a `pathlib.Path` or an `outlast.File`."""
    return {"lines": path.read_bytes().count(b"\n")}


def parse_at(path: str) -> tuple[str, dict[str, int]]:
    return path, parse(Path(path))


def found(tree: str) -> list[str]:
    return [os.path.join(folder, name) for folder, _, names in os.walk(tree) for name in names]


def write(results: Iterable[tuple[str, dict[str, int]]], state: str) -> None:
    os.makedirs(state)
    with open(f"{state}/results.ndjson", "w") as out:
        for path, result in results:
            out.write(json.dumps({"path": path, "result": result}) + "\n")


def by_outlast(tree: str, state: str, workers: int) -> None:
    import outlast

    outlast.run(tree, processor=parse, state=state, workers=workers, version="1", progress=False).check()


def by_map(tree: str, state: str, workers: int) -> None:
    from multiprocessing import Pool

    with Pool(workers) as pool:
        write(pool.map(parse_at, found(tree)), state)


def by_imap(tree: str, state: str, workers: int) -> None:
    from multiprocessing import Pool

    with Pool(workers) as pool:
        write(pool.imap_unordered(parse_at, found(tree)), state)


def by_executor(tree: str, state: str, workers: int) -> None:
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(workers) as pool:
        write(pool.map(parse_at, found(tree)), state)


def by_joblib(tree: str, state: str, workers: int) -> None:
    from joblib import Parallel, delayed

    write(Parallel(n_jobs=workers)(delayed(parse_at)(path) for path in found(tree)), state)


def by_ray(tree: str, state: str, workers: int) -> None:
    import ray
    from ray.util.multiprocessing import Pool

    ray.init(num_cpus=workers, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    with Pool(workers) as pool:
        write(pool.map(parse_at, found(tree), chunksize=500), state)


def by_dask(tree: str, state: str, workers: int) -> None:
    import dask.bag

    bag = dask.bag.from_sequence(found(tree), npartitions=8 * workers).map(parse_at)
    write(bag.compute(scheduler="processes", num_workers=workers), state)


PEERS: dict[str, tuple[str, Callable[[str, str, int], None], str]] = {
    "outlast": ("Outlast, a Python function", by_outlast, "outlast"),
    "map": ("multiprocessing, Pool.map", by_map, "multiprocessing"),
    "imap": ("multiprocessing, Pool.imap_unordered", by_imap, "multiprocessing"),
    "executor": ("ProcessPoolExecutor.map", by_executor, "concurrent"),
    "joblib": ("joblib", by_joblib, "joblib"),
    "ray": ("Ray, its Pool", by_ray, "ray"),
    "dask": ("Dask, a bag", by_dask, "dask"),
}
REMEDIES = {"outlast": f"install {HERE.parents[1] / 'src/python'}", "dask": "install 'dask[bag]'"}


def make(tree: Path, files: int, kib: int) -> None:
    """Makes files of lines of 64 bytes, 250 a folder; those that are there stay."""
    content = (b"x" * 63 + b"\n") * (kib * 16)
    for number in range(files):
        path = tree / f"{number // 250:04}" / f"{number:07}.txt"
        if number % 250 == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def seconds(peer: str, tree: Path, state: Path, workers: int, files: int) -> float:
    """The time of a peer's command. Fails where a result is missing."""
    os.sync()
    begun = time.monotonic()
    subprocess.run([sys.executable, __file__, "--alone", peer, str(tree), str(state), str(workers)], check=True)
    took = time.monotonic() - begun
    lines = sum(file.read_bytes().count(b'"lines"') for file in state.rglob("*.ndjson"))
    assert lines == files, f"{peer}: {lines} results of {files} files"
    subprocess.run(["rm", "-rf", str(state)], check=True)
    return took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", nargs="*", help=f"any of: {', '.join(PEERS)}; else all")
    parser.add_argument("--files", type=int, default=60_000)
    parser.add_argument("--kib", type=int, default=4, help="size of a file")
    parser.add_argument("--rounds", type=int, default=5, help="a first one more warms the caches, and does not count")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    if unknown := set(args.peer) - set(PEERS):
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    chosen = []
    for peer in args.peer or PEERS:
        label, _, module = PEERS[peer]
        if importlib.util.find_spec(module) is None:
            remedy = REMEDIES.get(peer, f"install {module}")
            print(f"{label} is left out: {sys.executable} -m pip {remedy}", file=sys.stderr)
        else:
            chosen.append(peer)
    times: dict[str, list[float]] = {peer: [] for peer in chosen}
    with tempfile.TemporaryDirectory(prefix="outlast-function-") as scratch:
        tree = Path(scratch) / "tree"
        make(tree, args.files, args.kib)
        for number in range(args.rounds + 1):
            for peer in chosen:
                took = seconds(peer, tree, Path(scratch) / "state", args.workers, args.files)
                times[peer] += [took] if number else []
    print(f"{args.files:,} files of {args.kib} KiB, {args.workers} workers, medians of {args.rounds} rounds, in turn\n")
    print("| peer | seconds | files a second | Outlast is as fast, times |\n|---|--:|--:|--:|")
    for peer in chosen:
        median = statistics.median(times[peer])
        # Of the same round: what slows the machine down slows both.
        pairs = [other / own for other, own in zip(times[peer], times.get("outlast", []))]
        ratio = f"{statistics.median(pairs):.2f}" if pairs and peer != "outlast" else ""
        print(f"| {PEERS[peer][0]} | {median:.2f} | {args.files / median:,.0f} | {ratio} |")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        PEERS[sys.argv[2]][1](sys.argv[3], sys.argv[4], int(sys.argv[5]))
        sys.exit()
    sys.exit(main())
