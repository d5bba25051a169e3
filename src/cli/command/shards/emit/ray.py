#!/usr/bin/env python3
"""Runs %{count} shards on Ray. Submit it from any machine: ray job submit --working-dir . -- python3 THIS_FILE

Every node has `outlast`, the roots and the states at the same paths. `outlast shards status` shows how far it is.
"""
import ctypes
import signal
import subprocess
import sys

import ray

SHARDS = %{count}
COMMAND = %{command}
TRIED_AGAIN = {11, 75, 137, 143}  # in use, a resource is missing, killed, asked to stop
TRIES = 20


class TryAgain(Exception):
    pass


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


@ray.remote(num_cpus=%{cpus}, max_retries=TRIES, retry_exceptions=[TryAgain], scheduling_strategy="SPREAD")
def run(shard):
    command = COMMAND + ["--shard", f"{shard}/{SHARDS}"]
    code = subprocess.run(command, preexec_fn=die_with_parent).returncode
    code = 128 - code if code < 0 else code
    if code in TRIED_AGAIN:
        raise TryAgain(f"shard {shard}: exit code {code}")
    return code


def main():
    ray.init()
    shard_of = {run.remote(shard): shard for shard in range(SHARDS)}
    waiting, worst = list(shard_of), 0
    while waiting:
        (ready,), waiting = ray.wait(waiting)
        try:
            code = ray.get(ready)
        except Exception as error:
            print(error, file=sys.stderr)
            code = 75
        worst = max(worst, code)
        print(f"shard {shard_of[ready]}: exit code {code}, {len(waiting)} to go", flush=True)
    sys.exit(worst)


if __name__ == "__main__":
    main()
