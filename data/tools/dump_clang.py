"""Makes clang's JSON compact, and the same each time: its ids are addresses, which are numbered here.

clang -fsyntax-only -Xclang -ast-dump=json SOURCE | dump_clang.py OUT
"""

import json
import re
import sys
from pathlib import Path

numbers = {}
text = re.sub(r'"(0x[0-9a-f]+)"', lambda hit: f'"{numbers.setdefault(hit[1], hex(len(numbers) + 1))}"', sys.stdin.read())
Path(sys.argv[1]).write_text(json.dumps(json.loads(text), separators=(",", ":")) + "\n")
