"""A notebook's cells, run by a real kernel where Jupyter's client and kernel are installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import make_tree

CELLS = [
    "%%writefile my_parse.py\nimport time\ndef parse(file):\n    time.sleep(0.05)\n    return file.size\n",
    "import outlast\nfrom my_parse import parse\noutlast.run('tree', processor=parse, state='s', workers=1).ok",
    "def here(file):\n    return 1\n"
    "try:\n    outlast.run('tree', processor=here, state='t')\n"
    "except outlast.ConfigError as error:\n    print(error)",
    "from outlast import BatchProcessingEngine\n"
    "engine = BatchProcessingEngine(processor=parse, state='s')\n"
    "ran = engine.process_repository('tree')\n"
    "(await engine.process_repository('tree')).unchanged, ran.unchanged",
]


def test_cells_run_functions_of_modules_and_show_a_bar(folder: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    make_tree(folder, 30)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [cell.outputs for cell in notebook.cells]
    assert outputs[1][0]["output_type"] == "display_data", "the bar, which is empty at the end"
    assert outputs[1][-1]["data"]["text/plain"] == "30"
    assert "%%writefile my_here.py" in outputs[2][0]["text"]
    assert outputs[3][-1]["data"]["text/plain"] == "(30, 30)"
