"""Records as tables: `outlast.table`, `outlast.pandas`, `outlast.polars`, `outlast.duckdb`.

Constraints: the command writes the table, as Parquet; what a library makes of that is its own.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Optional

from outlast import binary, process
from outlast.binary import Pathlike, Setting

if TYPE_CHECKING:
    import duckdb as duckdb_module  # type: ignore[import-untyped, import-not-found, unused-ignore]
    import pandas as pandas_module  # type: ignore[import-untyped, import-not-found, unused-ignore]
    import polars as polars_module  # type: ignore[import-untyped, import-not-found, unused-ignore]
    import pyarrow  # type: ignore[import-untyped, import-not-found, unused-ignore]

_numbers = itertools.count(1)


class Table:
    """The latest record of each file as a table, as the guide's page *Tables* explains it.

    Whatever takes Arrow streams takes it as it is (`polars.DataFrame(table)`, `pyarrow.table(table)`), where pyarrow
    is installed.
    """

    def __init__(self, state: Pathlike, **options: Setting) -> None:
        self._state = state
        self._options = options

    def to_parquet(self, path: Pathlike) -> None:
        """Writes it to a file, which has its name once it is complete. Raises `OutlastError`."""
        flags: dict[str, Setting] = {"state": self._state, "output": path, "format": "parquet", **self._options}
        process.output(["records", *binary.flags(flags)])

    def to_arrow(self) -> pyarrow.Table:
        """Returns it as a table of pyarrow. Raises `ImportError` without that, and `OutlastError`."""
        import pyarrow.parquet  # type: ignore[import-untyped, import-not-found, unused-ignore]

        with self._file() as path:
            return pyarrow.parquet.read_table(path)  # type: ignore[no-untyped-call, unused-ignore]

    def __arrow_c_stream__(self, requested_schema: Optional[object] = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    @contextmanager
    def _file(self) -> Iterator[str]:
        with tempfile.TemporaryDirectory(prefix="outlast-") as folder:
            path = os.path.join(folder, "records.parquet")
            self.to_parquet(path)
            yield path


def table(state: Pathlike = ".outlast", **options: Setting) -> Table:
    """Returns the latest records as a table, to be written or read; `status`, `root` and `path` select some."""
    return Table(state, **options)


def pandas(state: Pathlike = ".outlast", **options: Setting) -> pandas_module.DataFrame:
    """Returns the latest records as a data frame of pandas, which needs pyarrow. Raises `ImportError` without them."""
    import pandas  # type: ignore[import-untyped, import-not-found, unused-ignore]

    with Table(state, **options)._file() as path:
        return pandas.read_parquet(path)


def polars(state: Pathlike = ".outlast", **options: Setting) -> polars_module.DataFrame:
    """Returns the latest records as a data frame of Polars. Raises `ImportError` without that."""
    import polars  # type: ignore[import-untyped, import-not-found, unused-ignore]

    with Table(state, **options)._file() as path:
        return polars.read_parquet(path)


def duckdb(
    state: Pathlike = ".outlast",
    connection: Optional[duckdb_module.DuckDBPyConnection] = None,
    **options: Setting,
) -> duckdb_module.DuckDBPyRelation:
    """Returns the latest records as a relation of DuckDB: a temporary table of the connection, by default that of
    `duckdb.sql`. Raises `ImportError` without DuckDB."""
    import duckdb  # type: ignore[import-untyped, import-not-found, unused-ignore]

    target = connection if connection is not None else duckdb.default_connection()
    name = f"outlast_{os.getpid()}_{next(_numbers)}"
    with Table(state, **options)._file() as path:
        target.execute(f"CREATE TEMP TABLE {name} AS FROM read_parquet(?)", [path])
    return target.table(name)
