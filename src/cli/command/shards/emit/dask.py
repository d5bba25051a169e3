#!/usr/bin/env python3
"""Runs %{count} shards on Dask: python3 THIS_FILE SCHEDULER_ADDRESS

Every worker has `outlast`, the roots and the states at the same paths. `outlast shards status` shows how far it is.
"""
import ctypes
import signal
import subprocess
import sys

from distributed import Client, as_completed

SHARDS = %{count}
COMMAND = %{command}
TRIED_AGAIN = {11, 75, 137, 143}  # in use, a resource is missing, killed, asked to stop
TRIES = 20


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def run(shard):
    command = COMMAND + ["--shard", f"{shard}/{SHARDS}"]
    code = subprocess.run(command, preexec_fn=die_with_parent).returncode
    code = 128 - code if code < 0 else code
    if code in TRIED_AGAIN:
        raise RuntimeError(f"shard {shard}: exit code {code}")
    return code


def main():
    client = Client(sys.argv[1])
    shard_of = {client.submit(run, shard, retries=TRIES, pure=False): shard for shard in range(SHARDS)}
    worst, left = 0, SHARDS
    for future in as_completed(shard_of):
        left -= 1
        error = future.exception()
        if error is not None:
            print(error, file=sys.stderr)
        code = 75 if error is not None else future.result()
        worst = max(worst, code)
        print(f"shard {shard_of[future]}: exit code {code}, {left} to go", flush=True)
    sys.exit(worst)


if __name__ == "__main__":
    main()
