"""Runs of functions: their results, their failures, and what is refused."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from pathlib import Path

import functions
import outlast
import pytest
from conftest import Program, make_tree


def results(state: str = "s") -> dict[str, object]:
    return {record["path"]: record.get("result") for record in outlast.records(state)}


@pytest.mark.parametrize("function", [functions.lines, functions.lines_soon, "functions:lines"])
@pytest.mark.parametrize("content", ["inline", "path"])
def test_each_file_has_its_result_and_is_not_called_for_again(folder: Path, function: object, content: str) -> None:
    make_tree(folder, 200)
    done = outlast.run("tree", processor=function, state="s", workers=2, content=content)  # type: ignore[arg-type]
    assert (done.ok, done.failed, done.exit_code) == (200, 0, 0)
    found = results()
    assert found == {f"{n % 10:02}/{n:05}.txt": {"lines": n % 50} for n in range(200)}
    again = outlast.run("tree", processor=function, state="s", content=content)  # type: ignore[arg-type]
    assert (again.ok, again.unchanged) == (0, 200)


def test_a_file_is_a_path(folder: Path) -> None:
    tree = make_tree(folder, 3)
    outlast.run("tree", processor=functions.of_path, state="s", version="1")
    expected = {"stem": "00002", "suffix": ".txt", "parent": "02", "same": True, "text": str(tree / "02/00002.txt")}
    assert results()["02/00002.txt"] == expected


def test_names_that_are_not_utf_8_are_opened(folder: Path) -> None:
    tree = make_tree(folder, 1)
    (tree / os.fsdecode(b"\xff.txt")).write_text("a\nb\n")
    for content in ("inline", "path"):
        done = outlast.run("tree", processor=functions.lines, state=content, content=content, version="1")
        assert done.ok == 2
        assert [record["result"] for record in outlast.records(content, path="?.txt")] == [{"lines": 2}]


def test_a_result_beyond_a_message_fails_its_file_alone(folder: Path) -> None:
    make_tree(folder, 3)
    done = outlast.run("tree", processor=functions.huge, state="s", retry_attempts=1)
    assert (done.ok, done.failed) == (2, 1)
    [failed] = outlast.records("s", status="failed")
    assert "at most" in failed["error"]["message"]


def test_a_file_without_an_engine() -> None:
    file = outlast.File.at(__file__)
    assert file.size == len(file.read_bytes()) and Path(file) == file.as_path() == Path(__file__)
    with pytest.raises(ValueError, match="writes"):
        file.open("w")


def test_what_a_function_raises_is_in_the_records_error(folder: Path) -> None:
    make_tree(folder, 20)
    done = outlast.run("tree", processor=functions.fails, state="s", retry_attempts=1)
    assert (done.ok, done.failed, done.exit_code) == (16, 4, 3)
    errors = {record["path"]: record["error"] for record in outlast.records("s", status="failed")}
    raised = errors["07/00007.txt"]
    assert raised["class"] == "processor"
    message = raised["message"]
    assert message.startswith("ValueError: invalid literal for int()")
    assert "in fails: return inner(\"no number\")" in message and "in inner: return int(text)" in message
    assert "worker" not in message, "only frames of the user's are shown"
    assert errors["08/00008.txt"] == {"class": "parse", "message": "odd line", "line": 3, "column": 9}
    assert (errors["09/00009.txt"]["class"], errors["09/00009.txt"]["line"]) == ("parse", 1)
    assert "SystemExit: given up" in errors["00/00010.txt"]["message"]
    with pytest.raises(outlast.FilesFailed) as failed:
        done.check()
    assert (failed.value.exit_code, failed.value.classes) == (3, {"parse": 2, "processor": 2})


def test_a_result_that_json_lacks_fails_its_file_alone(folder: Path) -> None:
    make_tree(folder, 8)
    done = outlast.run("tree", processor=functions.odd_results, state="s", retry_attempts=1)
    assert (done.ok, done.failed) == (4, 4)
    records = {record["path"]: record for record in outlast.records("s")}
    assert "JSON" in records["01/00001.txt"]["error"]["message"]
    assert "set" in records["02/00002.txt"]["error"]["message"]
    assert records["05/00005.txt"]["result"].endswith("tree/05")


def test_logging_reaches_the_log_with_the_files_path(folder: Path) -> None:
    make_tree(folder, 30)
    outlast.run("tree", processor=functions.logs, state="s", log_level="info", log_file="log")
    messages = [json.loads(line)["fields"]["message"] for line in Path("log").read_text().splitlines()]
    for number in range(30):
        path = f"{number % 10:02}/{number:05}.txt"
        assert f"{path}: INFO functions: seen, {5 * (number % 50)} bytes" in messages
        assert f"{path}: printed" in messages


def test_the_log_goes_to_the_logger_outlast(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_tree(folder, 3)
    with caplog.at_level(logging.INFO, "outlast"):
        outlast.run("tree", processor=functions.logs, state="s")
    assert "02/00002.txt: INFO functions: seen, 10 bytes" in caplog.messages


def test_an_edited_module_and_another_version_are_due_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tree(folder, 5)
    monkeypatch.syspath_prepend(str(folder))
    module = folder / "edited_module.py"
    module.write_text("def parse(file): return 1\n")
    name = "edited_module:parse"
    assert outlast.run("tree", processor=name, state="s").ok == 5
    module.write_text("def parse(file): return 22\n")
    assert outlast.run("tree", processor=name, state="s").ok == 5
    assert outlast.run("tree", processor=name, state="s", version="7").ok == 5
    module.write_text("def parse(file): return 333\n")
    assert outlast.run("tree", processor=name, state="s", version="7").unchanged == 5
    assert set(results().values()) == {22}


def test_a_function_that_no_other_process_can_import_is_refused(folder: Path) -> None:
    def within(file: outlast.File) -> int:
        return 1

    make_tree(folder, 1)
    cases = {
        "another function": within,
        "lambda": lambda file: 1,
        "method of an object": functions.Shelf().method,
        "without a name": functions.__loader__,
        "module:function": "functions",
    }
    for what, function in cases.items():
        with pytest.raises(outlast.ConfigError, match=what) as refused:
            outlast.run("tree", processor=function, state="s")  # type: ignore[arg-type]
        assert refused.value.exit_code == 78
    with pytest.raises(outlast.ConfigError, match="no module nowhere"):
        outlast.run("tree", processor="nowhere:parse", state="s")
    with pytest.raises(outlast.ConfigError, match="no function parse"):
        outlast.run("tree", processor="functions:parse", state="s")
    assert outlast.run("tree", processor=functions.Shelf.size, state="s").ok == 1


def test_a_spawn_of_1000_workers_is_refused(folder: Path) -> None:
    make_tree(folder, 1)
    with pytest.raises(outlast.ConfigError, match="1000 workers are as many Python processes"):
        outlast.run("tree", processor=functions.lines, state="s", workers=1000)
    assert not Path("s").exists()


def test_a_function_of_the_program_itself_is_imported_by_its_file(folder: Path) -> None:
    make_tree(folder, 10)
    program = Program(
        folder,
        """
        import outlast
        from dataclasses import dataclass

        @dataclass
        class Found:
            size: int

        def parse(file):
            return Found(file.size)

        if __name__ == "__main__":
            print(outlast.run("tree", processor=parse, state="s").check().ok)
        """,
    )
    ended = program.run()
    assert (ended.stdout, ended.stderr) == ("10\n", "")
    assert results()["03/00003.txt"] == {"size": 15}


def test_a_function_of_the_program_is_the_same_in_a_process_that_it_has_spawned(folder: Path) -> None:
    make_tree(folder, 10)
    program = Program(
        folder,
        """
        import multiprocessing, outlast

        def parse(file):
            return file.size

        def run():
            done = outlast.run("tree", processor=parse, state="s").check()
            print(done.ok, done.unchanged, flush=True)

        if __name__ == "__main__":
            run()
            spawned = multiprocessing.get_context("spawn").Process(target=run)
            spawned.start()
            spawned.join()
        """,
    )
    ended = program.run()
    assert (ended.stdout, ended.stderr) == ("10 0\n0 10\n", "")


def test_a_program_that_starts_its_run_while_it_is_imported_is_refused_and_starts_no_more(folder: Path) -> None:
    make_tree(folder, 10)
    program = Program(folder, 'import outlast\ndef parse(file): return 1\noutlast.run("tree", processor=parse)\n')
    ended = program.run()
    assert ended.returncode == 1
    assert '`if __name__ == "__main__":`' in ended.stderr and "ConfigError" in ended.stderr


def test_a_function_at_the_prompt_and_in_a_notebook_is_refused_with_what_to_do(folder: Path) -> None:
    make_tree(folder, 1)
    source = 'import sys, outlast\nsys.modules["ipykernel"] = {}\ndef parse(file): return 1\n'
    call = 'outlast.run("tree", processor=parse)\n'
    at_prompt = source.replace('sys.modules["ipykernel"] = {}', "") + call
    import subprocess

    for text, what in ((at_prompt, "where no file is"), (source + call, "%%writefile my_parse.py")):
        ended = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, cwd=folder)
        assert what in ended.stderr


def test_wrong_settings_and_another_processor_are_exceptions_with_the_exit_code(folder: Path) -> None:
    make_tree(folder, 1)
    with pytest.raises(outlast.UsageError, match="btch-size"):
        outlast.run("tree", processor=functions.lines, state="s", btch_size=3)
    with pytest.raises(outlast.OutlastError) as wrong:
        outlast.run("tree", processor=functions.lines, state="s", include=["[z-a]"])
    assert wrong.value.exit_code in (2, 78)
    with pytest.raises(outlast.NoState) as missing:
        list(outlast.records("nowhere"))
    assert missing.value.exit_code == 10
    outlast.run("tree", processor=functions.lines, state="s")
    with pytest.raises(outlast.UsageError, match="processor"):
        outlast.run("tree", processor=functions.poison, state="s")


def test_records_go_on_from_a_cursor(folder: Path) -> None:
    make_tree(folder, 40)
    outlast.run("tree", processor=functions.lines, state="s")
    log = list(outlast.records("s", since="1:0"))
    assert len(log) == 40
    rest = list(outlast.records("s", since=log[24].cursor))
    assert [record["path"] for record in rest] == [record["path"] for record in log[25:]]
    assert not list(outlast.records("s", since=log[-1].cursor))
    latest = list(outlast.records("s"))
    assert {record.cursor for record in latest} == {log[-1].cursor} and "cursor" not in latest[0]

    async def read() -> list[outlast.Record]:
        return [record async for record in outlast.records("s", since="1:0")]

    assert asyncio.run(read()) == log
    for record in outlast.records("s"):
        break  # a loop that is left leaves no process behind
    with pytest.raises(outlast.CursorGone):
        list(outlast.records("s", since="1:0@00000000"))
    outlast.commit("s", "search", log[24].cursor)
    assert len(list(outlast.records("s", consumer="search"))) == 15


def test_without_a_function_files_are_syntax_trees(folder: Path) -> None:
    tree = folder / "tree"
    tree.mkdir()
    (tree / "a.ast.json").write_text('{"_type": "Module", "body": []}')
    assert outlast.run("tree", state="s").ok == 1
    assert outlast.run([tree, folder / "tree"], state="s").unchanged == 1


def test_a_line_that_is_none_and_what_is_no_exception_fail_their_file_alone(folder: Path) -> None:
    make_tree(folder, 7)
    done = outlast.run("tree", processor=functions.odd_failures, state="s", workers=1, retry_attempts=1)
    errors = {record["path"][-9:-4]: record["error"] for record in outlast.records("s")}
    assert done.failed == 7
    assert [errors[f"0000{number}"]["class"] for number in range(7)] == ["processor", *["parse"] * 5, "processor"]
    assert [errors[f"0000{number}"].get("line") for number in range(1, 6)] == [None, None, None, None, 7]


def test_records_that_are_followed_come_at_once_and_a_loop_that_is_cancelled_ends(folder: Path) -> None:
    make_tree(folder, 3)
    outlast.run("tree", processor=functions.lines, state="s")

    async def follow(seen: list[str]) -> None:
        async for record in outlast.records("s", since="1:0", follow=True):
            seen.append(record["path"])

    async def follow_for_a_while() -> list[str]:
        seen: list[str] = []
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(follow(seen), 3)
        return seen

    assert len(asyncio.run(follow_for_a_while())) == 3


def test_the_state_of_the_environment_is_that_of_the_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tree(folder, 2)
    monkeypatch.setenv("OUTLAST_STATE", "elsewhere")
    done = outlast.run("tree", processor=functions.odd_failures, retry_attempts=1)
    assert done.state == "elsewhere"
    with pytest.raises(outlast.FilesFailed):
        done.check()
    assert len(list(outlast.records())) == 2
    with outlast.watch("tree", processor=functions.odd_failures) as live:
        assert live.state == "elsewhere"


def test_a_filter_of_the_logger_that_raises_ends_no_run(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def refuse(record: logging.LogRecord) -> bool:
        raise RuntimeError("odd filter")

    make_tree(folder, 3)
    log = logging.getLogger("outlast")
    log.addFilter(refuse)
    log.setLevel("INFO")
    try:
        assert outlast.run("tree", processor=functions.prints_much, state="s", timeout="20s").ok == 3
    finally:
        log.removeFilter(refuse)
        log.setLevel("NOTSET")
    assert capfd.readouterr().err.count("RuntimeError: odd filter") == 1


def test_a_batch_that_is_no_longer_awaited_goes_on_to_its_end(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tree = make_tree(folder, 20)

    async def stop_waiting() -> None:
        call = outlast.process_batch(outlast.FileBatch(1, sorted(tree.rglob("*.txt"))), functions.slow)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(call, 0.01)
        assert await asyncio.to_thread(lambda: call.ok) == 20

    asyncio.run(stop_waiting())
    assert "InvalidStateError" not in capfd.readouterr().err
