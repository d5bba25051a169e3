"""The process in which a function runs: a child of the protocol `outlast-exec/1`.

    outlast run texts --include '*.txt' --exec 'python -m outlast.worker module:function'

Constraints: nothing is imported here that the function does not need; standard output and error belong to the
function, and only the socket to the engine carries messages.
"""
