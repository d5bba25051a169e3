#!/usr/bin/env python3
"""Ray Data on this machine: lists of 500 paths each, a task for each list, and Ray's own checkpoint of the paths
that are done."""

import os

import pyarrow
import ray
from ray.data.checkpoint import CheckpointConfig
from ray.data.datasource import BlockBasedFileDatasink

import ast_record

FILES_PER_TASK = 500


class Lines(BlockBasedFileDatasink):
    """Writes the column of lines as it is: as a table, records would get a column for each kind of node."""

    def write_block_to_file(self, block, file) -> None:
        file.write(b"".join(block.to_arrow()["line"].to_pylist()))


def write_lists(tree: str, folder: str) -> int:
    """Files with paths, one a line: reading those instead of the tree lets the checkpoint act before files are read."""
    os.makedirs(folder, exist_ok=True)
    paths = list(ast_record.find(tree))
    lists = range(0, len(paths), FILES_PER_TASK)
    for start in lists:
        with open(os.path.join(folder, f"{start:09}.txt"), "w") as file:
            file.write("\n".join(paths[start : start + FILES_PER_TASK]))
    return len(lists)


def main() -> None:
    args = ast_record.arguments(__doc__).parse_args()
    lists, records, checkpoint = (os.path.join(args.state, name) for name in ("lists", "records", "checkpoint"))
    number = write_lists(args.tree, lists)
    os.makedirs(checkpoint, exist_ok=True)
    ray.init(num_cpus=args.workers, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.checkpoint_config = CheckpointConfig("text", checkpoint, delete_checkpoint_on_success=False)

    def process(batch: pyarrow.Table) -> pyarrow.Table:
        lines = [ast_record.process(args.tree, path) for path in batch["text"].to_pylist()]
        return batch.append_column("line", pyarrow.array(lines))

    paths = ray.data.read_text(lists, override_num_blocks=number)
    paths.map_batches(process, batch_format="pyarrow", batch_size=None).write_datasink(
        Lines(records, file_format="ndjson")
    )
    ray.shutdown()


if __name__ == "__main__":
    main()
