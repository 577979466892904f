"""The documentation is true: every message, code, command, option and metric is on its page."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import click
import msgspec
import pytest

from gamekit import wire
from gamekit.cli import main
from gamekit.faultsim import Ratios
from gamekit.faultsim.clients import AGAIN
from gamekit.game import Event
from gamekit.server.measure import Metrics
from gamekit.space import events, rules
from gamekit.space.commands import SpaceCommand

ROOT = Path(__file__).resolve().parent.parent
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()
README = (ROOT / "README.md").read_text()


def table_rows(text: str, after: str) -> list[list[str]]:
    """The cells of the first table after a heading."""
    body = text.split(after, 1)[1]
    rows = []
    for line in body.splitlines()[1:]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            break
    return rows[2:]


@pytest.mark.parametrize(
    ("heading", "union"),
    [("### Messages from the client", wire.FromClient), ("### Messages from the server", wire.ToClient)],
)
def test_every_message_and_each_of_its_fields_is_documented(heading: str, union: Any) -> None:
    documented = {
        row[0].strip("`"): [field.strip() for field in row[1].split(",")] for row in table_rows(PROTOCOL, heading)
    }
    real = {}
    for kind in get_args(union):
        config = msgspec.structs.fields(kind)
        real[kind.__struct_config__.tag] = [field.name for field in config]
    assert documented == real


def test_every_error_code_of_server_and_session_is_documented_and_none_is_invented() -> None:
    documented = set()
    for row in table_rows(PROTOCOL, "## Error codes"):
        documented |= set(re.findall(r"`([a-z_]+)`", row[0]))
    used = set()
    for path in [*(ROOT / "gamekit" / "server").glob("*.py"), *(ROOT / "gamekit" / "session").glob("*.py")]:
        text = path.read_text()
        used |= set(re.findall(r'(?:Problem\(\d+, |Error\(code=|Rejected\(|_refuse\(|_error\()"([a-z_]+)"', text))
        used |= set(re.findall(r'Refusal\(\s*\d+,\s*"([a-z_]+)"', text))
        used |= set(re.findall(r'\bcode(?:, detail)? = "([a-z_]+)"', text))
        used |= set(re.findall(r'code, detail = "([a-z_]+)"', text))
    used |= set(re.findall(r'RemoteProtocolError\(\s*"([a-z_]+)"', (ROOT / "gamekit" / "wire.py").read_text()))
    assert used - documented == set(), "codes without documentation"
    assert documented - used == set(), "documented codes that no code gives"


def test_the_refusals_that_pass_are_one_list_in_the_protocol_and_in_every_client() -> None:
    paragraph = PROTOCOL.split("**Refusals that pass.**", 1)[1].split("say nothing", 1)[0]
    assert set(re.findall(r"`([a-z_]+)`", paragraph)) == wire.PASSING_REFUSALS
    assert wire.PASSING_REFUSALS == AGAIN
    queue = (ROOT / "gamekit" / "web" / "js" / "queue.js").read_text()
    listed = re.search(r"PASSING = new Set\(\[([^\]]+)\]", queue)
    assert listed is not None
    assert set(re.findall(r'"([a-z_]+)"', listed[1])) == wire.PASSING_REFUSALS
    assert int(re.search(r"WINDOW = (\d+)", queue)[1]) == wire.MAX_PENDING_COMMANDS  # type: ignore[index]


def test_every_close_code_is_documented() -> None:
    text = (ROOT / "gamekit" / "server" / "sockets.py").read_text()
    used = set(re.findall(r"^CLOSE_\w+ = (\d+)", text, re.MULTILINE)) | {"1009"}
    assert used == {row[0] for row in table_rows(PROTOCOL, "## Close codes")}


def test_every_metric_is_documented() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    for metric in Metrics().registry.collect():
        assert f"`{metric.name}" in text, f"{metric.name} is not in docs/operations.md"


def test_every_command_and_option_is_documented() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        assert command.name == name
        [row] = re.findall(rf"^\| `gamekit {name}[` ].*$", text, re.MULTILINE)
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                for option in parameter.opts:
                    assert f"`{option}" in row, f"{name} {option}"


def test_a_server_does_not_load_what_a_designer_needs() -> None:
    script = (
        "import sys; from gamekit.cli import main; main.get_command(None, 'serve'); import gamekit.server.replayer\n"
        "dear = ('gamekit.lab', 'gamekit.client', 'gamekit.bench', 'numpy', 'pandas')\n"
        "print([name for name in sys.modules if name.startswith(dear)])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            if not target.startswith(("http:", "https:")):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_names_the_two_commands_and_the_promises() -> None:
    assert "make run" in README
    assert "make test" in README
    for promise in range(1, 9):
        assert re.search(rf"^{promise}\. \*\*", README, re.MULTILINE), f"promise {promise} is not in the README"


GAME = (ROOT / "docs" / "game.md").read_text()


def test_every_rule_is_documented_with_default_range_unit_when_it_counts_and_sentence() -> None:
    documented = table_rows(GAME, "## Rules")
    real = [
        [
            f"`{one.name}`",
            f"{one.default:,}",
            f"{one.low:,} to {one.high:,}",
            one.unit,
            "at the start" if one.at_start else "live",
            one.sentence,
        ]
        for one in rules.table()
    ]
    assert documented == real


def test_every_command_of_the_game_and_each_of_its_fields_is_documented() -> None:
    documented = {
        row[0].split(" ", 1)[0].strip("`"): row[0].split(" ", 1)[1].replace(" ", "").split(",")
        for row in table_rows(GAME, "## Ships")
    }
    real = {
        kind.__struct_config__.tag: [field.encode_name for field in msgspec.structs.fields(kind)]
        for kind in get_args(SpaceCommand)
    }
    assert documented == real


def test_every_event_of_the_game_is_documented_with_its_audience() -> None:
    rows = table_rows(GAME, "## Events")
    public, private = (set(re.findall(r"`(\w+)`", row[0])) for row in rows)
    kinds = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)]
    real = {kind.__name__ for kind in kinds if kind is not Event}
    assert public | private == real
    assert private == {kind.__name__ for kind in kinds if (kind.__doc__ or "").startswith("Private")}


def test_every_refusal_of_the_game_is_documented() -> None:
    documented = set()
    for row in table_rows(GAME, "## Refusals"):
        documented |= set(re.findall(r"`([a-z_]+)`", row[0]))
    used = set()
    for path in (ROOT / "gamekit" / "space").glob("*.py"):
        used |= set(re.findall(r'(?:Rejected|Refusal)\(\s*"([a-z_]+)"', path.read_text()))
    assert used - documented == set()
    assert {"no_route", "queue_full"} <= documented


def test_every_fault_of_the_simulator_is_documented_with_its_default() -> None:
    text = (ROOT / "docs" / "durability.md").read_text()
    documented = {row[0].strip("`"): float(row[1]) for row in table_rows(text, "### Ratios")}
    assert documented == msgspec.structs.asdict(Ratios())


def test_every_test_that_the_page_on_durability_names_is_there() -> None:
    text = (ROOT / "docs" / "durability.md").read_text()
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", text))
    assert len(named) > 5
    assert [one for one in named if not (ROOT / one).is_file()] == []


def test_every_path_that_the_contributors_page_names_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = {one for one in re.findall(r"`([\w./-]+)`", text) if "/" in one or one.endswith(".py")} - {"NAME"}
    paths = {one for one in named if "NAME" not in one and not one.startswith("make")}
    assert len(paths) > 20
    rooms = [ROOT, ROOT / "gamekit", ROOT / "gamekit" / "space"]
    assert {one for one in paths if not any((room / one).exists() for room in rooms)} == set()
