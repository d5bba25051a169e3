#!/usr/bin/env python3
"""A job queue in SQLite: a row for each file, and for each file one synced transaction, which keeps the record, ends
the job and claims the next one. The records are exported at the end."""

import os
import sqlite3
from multiprocessing import Process

import ast_record

SCHEMA = """
CREATE TABLE IF NOT EXISTS job (id INTEGER PRIMARY KEY, path BLOB UNIQUE NOT NULL, state TEXT DEFAULT 'queued');
CREATE INDEX IF NOT EXISTS queued ON job (id) WHERE state = 'queued';
CREATE TABLE IF NOT EXISTS record (id INTEGER PRIMARY KEY, line BLOB NOT NULL);
"""
CLAIM = """
UPDATE job SET state = 'running' WHERE id = (SELECT id FROM job WHERE state = 'queued' ORDER BY id LIMIT 1)
RETURNING id, path
"""


def connect(database: str) -> sqlite3.Connection:
    connection = sqlite3.connect(database, timeout=60, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def work(tree: str, database: str) -> None:
    connection = connect(database)
    done = None
    while True:
        connection.execute("BEGIN IMMEDIATE")
        if done:
            connection.execute("UPDATE job SET state = 'done' WHERE id = ?", done[:1])
            connection.execute("INSERT INTO record (line) VALUES (?)", done[1:])
        claimed = connection.execute(CLAIM).fetchone()
        connection.execute("COMMIT")
        if claimed is None:
            return
        done = (claimed[0], ast_record.process(tree, os.fsdecode(claimed[1])))


def main() -> None:
    args = ast_record.arguments(__doc__).parse_args()
    os.makedirs(args.state, exist_ok=True)
    database = os.path.join(args.state, "queue.db")
    connection = connect(database)
    connection.executescript(SCHEMA)
    connection.execute("BEGIN")
    paths = ((os.fsencode(path),) for path in ast_record.find(args.tree))
    connection.executemany("INSERT OR IGNORE INTO job (path) VALUES (?)", paths)
    connection.execute("UPDATE job SET state = 'queued' WHERE state = 'running'")
    connection.execute("COMMIT")
    workers = [Process(target=work, args=(args.tree, database)) for _ in range(args.workers)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise SystemExit("a worker has failed")
    with open(os.path.join(args.state, "records.ndjson"), "wb") as out:
        out.writelines(line for (line,) in connection.execute("SELECT line FROM record ORDER BY id"))


if __name__ == "__main__":
    main()
