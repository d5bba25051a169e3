"""Records as tables: what DuckDB, Polars and pandas read equals the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import functions
import outlast
import pytest
from conftest import make_tree


@pytest.fixture
def expected(folder: Path) -> dict[str, tuple[Any, ...]]:
    make_tree(folder, 60)
    outlast.run("tree", processor=functions.fails, state="s", retry_attempts=1)
    return {record["path"]: of(record) for record in outlast.records("s")}


def of(record: outlast.Record) -> tuple[Any, ...]:
    error = record.get("error", {})
    result = record.get("result")
    return record["status"], record["size"], record["digest"], result, error.get("class"), error.get("message")


COLUMNS = ["path", "status", "size", "digest", "result_json", "error_class", "error_message"]


def rows(found: list[tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    plain = lambda value: None if value is None or value != value else value  # noqa: E731
    return {
        row[0]: (*row[1:4], json.loads(row[4]) if plain(row[4]) else None, *map(plain, row[5:])) for row in found
    }


def test_duckdb_reads_what_the_log_has(expected: dict[str, tuple[Any, ...]]) -> None:
    duckdb = pytest.importorskip("duckdb")
    relation = outlast.duckdb("s")
    assert rows(relation.select(*COLUMNS).fetchall()) == expected
    assert duckdb.sql("SELECT count(*) FROM relation WHERE status = 'failed'").fetchall() == [(4,)]
    own = duckdb.connect()
    assert len(outlast.duckdb("s", own, status="ok").fetchall()) == 56


def test_polars_reads_what_the_log_has(expected: dict[str, tuple[Any, ...]]) -> None:
    polars = pytest.importorskip("polars")
    assert rows(outlast.polars("s").select(COLUMNS).rows()) == expected
    pytest.importorskip("pyarrow")
    assert rows(polars.DataFrame(outlast.table("s")).select(COLUMNS).rows()) == expected


def test_pandas_reads_what_the_log_has(expected: dict[str, tuple[Any, ...]]) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = outlast.pandas("s")
    assert rows(list(frame[COLUMNS].itertuples(index=False, name=None))) == expected


def test_a_table_is_an_arrow_stream_and_a_file(expected: dict[str, tuple[Any, ...]], folder: Path) -> None:
    outlast.table("s").to_parquet(folder / "t.parquet")
    assert (folder / "t.parquet").read_bytes()[:4] == b"PAR1"
    pyarrow = pytest.importorskip("pyarrow")
    assert pyarrow.table(outlast.table("s")).num_rows == len(expected)
    assert outlast.table("s", status="failed").to_arrow().num_rows == 4
