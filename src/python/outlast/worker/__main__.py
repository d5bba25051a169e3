"""`python -m outlast.worker module:function`, or `python PATH/outlast/worker` with the parent's `sys.path`."""

import sys

if not __package__:
    # Started by its folder, which Python has put in front of all others: it is no place to import from.
    if sys.path and sys.path[0] == __file__.rpartition("/")[0]:
        del sys.path[0]
    if "--sys-path" in sys.argv:
        import json

        sys.path[:] = json.loads(sys.argv[sys.argv.index("--sys-path") + 1])

from outlast.worker.start import main

sys.exit(main(sys.argv[1:]))
