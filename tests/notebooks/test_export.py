"""An exported notebook shows a picture where the live map was."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from traitlets.config import Config

DOCS = Path(__file__).resolve().parents[2] / "docs" / "notebooks.md"


def test_the_documented_export_shows_the_map_as_a_picture(tmp_path: Path) -> None:
    v4: Any = nbformat.v4
    cells = [
        "import gamekit\nclient = gamekit.launch()\ngame = client.new_game(seed=7)\nred = game.join('Red')",
        "game.map()",
        "client.close()",
    ]
    notebook = v4.new_notebook(cells=[v4.new_code_cell(source) for source in cells])
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    [documented] = re.findall(r"display_data_priority='(\[.*?\])'", DOCS.read_text())
    config = Config({"NbConvertBase": {"display_data_priority": re.findall(r'"([^"]+)"', documented)}})
    html, _ = HTMLExporter(config=config).from_notebook_node(notebook)
    pictures = re.findall(r'<div class="jp-RenderedSVG[^>]*>\s*<(?:img|svg)[^>]*>', html)
    assert len(pictures) == 1
    assert len(pictures[0]) > 1000, "the picture is empty"
