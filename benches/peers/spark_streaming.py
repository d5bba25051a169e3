#!/usr/bin/env python3
"""Spark Structured Streaming: the file source, 1,000 files a trigger, until nothing is left; goes on from its
checkpoint. Which files of the records folder count is said by its `_spark_metadata`, which Spark itself reads."""

import os
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import udf

import ast_record

FILES_PER_TRIGGER = 1000


def main() -> None:
    args = ast_record.arguments(__doc__).parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = SparkSession.builder.master(f"local[{args.workers}]").appName("peers")
    for key, value in {
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": os.path.join(args.state, "scratch"),
        "spark.log.level": "ERROR",
        # By default Spark starts a task to look at each file of a trigger, and one to read each dozen of small ones.
        "spark.sql.files.openCostInBytes": "4096",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": str(args.workers),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }.items():
        session = session.config(key, value)
    spark = session.getOrCreate()
    spark.sparkContext.addPyFile(ast_record.__file__)

    @udf("string", useArrow=False)
    def line(path: str, content: bytes) -> str:
        path = os.path.relpath(path.removeprefix("file:"), args.tree)
        return ast_record.line(path, bytes(content))[:-1].decode()

    source = spark.readStream.format("binaryFile").schema(
        "path STRING, modificationTime TIMESTAMP, length LONG, content BINARY"
    )
    source = source.option("recursiveFileLookup", "true").option("maxFilesPerTrigger", FILES_PER_TRIGGER)
    source = source.option("pathGlobFilter", "*{.ast,.syntax,_ast}.json")
    # Else Spark leaves out what lies under a name that begins with `_` or `.`; old ones do all the same.
    source = source.option("ignoredPathSegmentRegex", "(?!)")
    lines = source.load("file://" + args.tree).select(line("path", "content"))
    sink = lines.writeStream.format("text").option("path", os.path.join(args.state, "records"))
    sink = sink.option("checkpointLocation", os.path.join(args.state, "checkpoint"))
    sink.trigger(availableNow=True).start().awaitTermination()
    spark.stop()


if __name__ == "__main__":
    main()
