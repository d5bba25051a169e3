"""Keeps the counts in a JSON file."""

import json
import os
from pathlib import Path


def load(path: Path) -> dict[str, int]:
    try:
        with path.open(encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def save(path: Path, counts: dict[str, int]) -> None:
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(counts, file, indent=2, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
