"""Bundles: one module text that means what its parts meant."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from anywidget import AnyWidget

from gamekit.errors import ConfigError
from gamekit.widgets.bundle import bundle
from gamekit.widgets.console import ConsoleWidget
from gamekit.widgets.latency import LatencyWidget
from gamekit.widgets.map import MapWidget
from gamekit.widgets.scrubber import ScrubberWidget
from gamekit.widgets.tables import FleetWidget, MarketWidget, OrdersWidget
from tests.nodejs import node


def run(text: str, tmp_path: Path, more: str = "") -> str:
    """What a module prints when node runs it."""
    path = tmp_path / "bundle.mjs"
    path.write_text(text + more)
    return subprocess.run([node(), str(path)], capture_output=True, text=True, check=True, timeout=30).stdout


def test_modules_keep_their_own_names_and_see_what_they_import(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one.js").write_text(
        "const secret = 'one';\n"
        "export function tell() { return secret; }\n"
        "export const LIST = [1, 2];\n"
        "export class Box {}\n"
    )
    (tmp_path / "two.js").write_text(
        'import {\n  tell as told,\n  LIST,\n} from "./deep/one.js";\n'
        "const secret = 'two';\n"
        "export const both = () => `${told()} ${secret} ${LIST.length}`;\n"
    )
    (tmp_path / "main.js").write_text(
        'import { both } from "./two.js";\nimport { tell, Box } from "./deep/one.js";\n'
        "const secret = 'main';\nconsole.log(both(), tell(), secret, typeof Box);\nexport default { both };\n"
    )
    text = bundle(tmp_path / "main.js")
    assert text.count("const secret = 'one'") == 1
    assert run(text, tmp_path) == "one two 2 one main function\n"


@pytest.mark.parametrize(
    "line",
    [
        'import * as all from "./one.js";',
        'import one from "./one.js";',
        'export * from "./one.js";',
        "export { a };",
        'import "./one.js";',
    ],
)
def test_form_that_is_not_known_is_an_error_with_its_line(line: str, tmp_path: Path) -> None:
    (tmp_path / "one.js").write_text("export const a = 1;\n")
    (tmp_path / "main.js").write_text(f"const a = 1;\n{line}\n")
    with pytest.raises(ConfigError, match=r"main\.js cannot be bundled") as caught:
        bundle(tmp_path / "main.js")
    assert line in str(caught.value)


@pytest.mark.parametrize(
    "widget", [MapWidget, LatencyWidget, FleetWidget, MarketWidget, OrdersWidget, ConsoleWidget, ScrubberWidget]
)
def test_widgets_parse_as_modules_with_a_render_function(widget: type[AnyWidget], tmp_path: Path) -> None:
    text = str(widget._esm)
    check = "\nconsole.log('parsed');\n"
    assert run(text.replace("export default", "globalThis.widget ="), tmp_path, check) == "parsed\n"
    shown = run(text.replace("export default", "const widget ="), tmp_path, "\nconsole.log(typeof widget.render);\n")
    assert shown == "function\n"
