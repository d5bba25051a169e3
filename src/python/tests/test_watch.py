"""`outlast.watch`."""

from __future__ import annotations

from pathlib import Path

import functions
import outlast
import pytest
from conftest import make_tree
from test_durability import wait_for


def test_a_watch_follows_changes_pauses_and_stops(folder: Path) -> None:
    tree = make_tree(folder, 5)
    with outlast.watch("tree", processor=functions.lines, state="s", workers=1) as live:
        wait_for("all are done", lambda: live.status()["total"]["ok"] == 5)
        (tree / "new.txt").write_text("a\nb\n")
        wait_for("the new one is done", lambda: live.status()["total"]["ok"] == 6)
        live.pause()
        wait_for("it pauses", lambda: live.status()["running"]["state"] == "paused")
        (tree / "later.txt").write_text("a\n")
        live.rescan()
        live.resume()
        wait_for("the rest is done", lambda: live.status()["total"]["ok"] == 7)
        cursor = live.checkpoint()
        assert live.is_running
    assert not live.is_running
    assert not list(outlast.records("s", since=cursor))
    results = {record["path"]: record["result"] for record in outlast.records("s")}
    assert results["new.txt"] == {"lines": 2}


def test_a_watch_that_cannot_begin_is_an_exception(folder: Path) -> None:
    make_tree(folder, 1)
    with pytest.raises(outlast.ConfigError, match="no module nowhere"):
        with outlast.watch("tree", processor="nowhere:parse", state="s"):
            pass
    with outlast.watch("tree", processor=functions.lines, state="s"):
        with pytest.raises(outlast.StateInUse):
            outlast.run("tree", processor=functions.lines, state="s")


def test_an_exception_within_the_block_ends_the_watch(folder: Path) -> None:
    make_tree(folder, 1)
    with pytest.raises(KeyError):
        with outlast.watch("tree", processor=functions.lines, state="s") as live:
            raise KeyError("mine")
    assert not live.is_running


def test_a_watch_of_a_state_in_use_does_not_begin(folder: Path) -> None:
    make_tree(folder, 1)
    with outlast.watch("tree", processor=functions.lines, state="s") as live:
        with pytest.raises(outlast.StateInUse):
            with outlast.watch("tree", processor=functions.lines, state="s"):
                raise AssertionError("it began")
        assert live.is_running
