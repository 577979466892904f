"""Keys of runs: other content is another key, the same content the same one, whatever memory or hash seed."""

from __future__ import annotations

import collections
import dataclasses
import enum
import functools
import importlib
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

import gamekit
from gamekit.lab import Simulation, sweep
from gamekit.lab.metrics import units_made
from gamekit.lab.sweeps.keys import Unkeyable, digest_of_things
from gamekit.lab.sweeps.origins import deciding
from gamekit.space import SpaceGame
from tests.lab.killed import kept


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    """An executor that needs no start."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


def cell(text: str, **given: Any) -> Callable[..., Any]:
    """The function `f` of a notebook's cell, in a namespace of its own."""
    space = {"__name__": "__main__", **given}
    exec(compile(text, f"cell-{id(space)}", "exec"), space)
    found: Callable[..., Any] = space["f"]
    return found


#: What a cell says, and the same with something that decides changed.
CELLS = {
    "a constant": ("K = 1\ndef f(run): return K", "K = 2\ndef f(run): return K"),
    "a literal": ("def f(run): return 1", "def f(run): return 2"),
    "a literal's type": ("def f(run): return 1", "def f(run): return 1.0"),
    "an operation": ("def f(run): return run.a + 1", "def f(run): return run.a - 1"),
    "an attribute's name": ("def f(run): return run.a", "def f(run): return run.b"),
    "a helper": ("def g(): return 1\ndef f(run): return g()", "def g(): return 2\ndef f(run): return g()"),
    "a helper's helper": (
        "def h(): return 1\ndef g(): return h()\ndef f(run): return g()",
        "def h(): return 2\ndef g(): return h()\ndef f(run): return g()",
    ),
    "a helper named in an inner function": (
        "def g(): return 1\ndef f(run): return [g() for _ in range(2)][0] + (lambda: g())()",
        "def g(): return 2\ndef f(run): return [g() for _ in range(2)][0] + (lambda: g())()",
    ),
    "a closure": (
        "def m(v):\n def i(run): return v\n return i\nf = m(1)",
        "def m(v):\n def i(run): return v\n return i\nf = m(2)",
    ),
    "a default": ("def f(run, v=1): return v", "def f(run, v=2): return v"),
    "a keyword's default": ("def f(run, *, v=1): return v", "def f(run, *, v=2): return v"),
    "a default's content": ("def f(run, v=[1]): return v", "def f(run, v=[2]): return v"),
    "a list's content": ("L = [1, [2]]\ndef f(run): return L", "L = [1, [3]]\ndef f(run): return L"),
    "a table's content": ("D = {'a': 1}\ndef f(run): return D['a']", "D = {'a': 2}\ndef f(run): return D['a']"),
    "a set's content": ("S = {1, 2}\ndef f(run): return 2 in S", "S = {1, 3}\ndef f(run): return 2 in S"),
    "a class's attribute": (
        "class C:\n k = 1\n def m(self, run): return self.k\nf = C().m",
        "class C:\n k = 2\n def m(self, run): return self.k\nf = C().m",
    ),
    "a base's method": (
        "class B:\n def g(self): return 1\nclass C(B):\n def m(self, run): return self.g()\nf = C().m",
        "class B:\n def g(self): return 2\nclass C(B):\n def m(self, run): return self.g()\nf = C().m",
    ),
    "a metaclass": (
        "class M(type):\n def g(cls): return 1\nclass C(metaclass=M): pass\ndef f(run): return C.g()",
        "class M(type):\n def g(cls): return 2\nclass C(metaclass=M): pass\ndef f(run): return C.g()",
    ),
    "an object's attribute": (
        "class C:\n def __init__(self, k): self.k = k\n def __call__(self, run): return self.k\nf = C(1)",
        "class C:\n def __init__(self, k): self.k = k\n def __call__(self, run): return self.k\nf = C(2)",
    ),
    "a slot": (
        "class C:\n __slots__ = ('k',)\n def __call__(self, run): return self.k\nf = C()\nf.k = 1",
        "class C:\n __slots__ = ('k',)\n def __call__(self, run): return self.k\nf = C()\nf.k = 2",
    ),
    "a property": (
        "class C:\n @property\n def k(self): return 1\n def __call__(self, run): return self.k\nf = C()",
        "class C:\n @property\n def k(self): return 2\n def __call__(self, run): return self.k\nf = C()",
    ),
    "a class method": (
        "class C:\n @classmethod\n def m(cls, run): return 1\nf = C.m",
        "class C:\n @classmethod\n def m(cls, run): return 2\nf = C.m",
    ),
    "a static method": (
        "class C:\n @staticmethod\n def m(run): return 1\nf = C().m",
        "class C:\n @staticmethod\n def m(run): return 2\nf = C().m",
    ),
    "a partial's argument": (
        "import functools\ndef g(k, run): return k\nf = functools.partial(g, 1)",
        "import functools\ndef g(k, run): return k\nf = functools.partial(g, 2)",
    ),
    "what a decorator wraps": (
        "import functools\ndef d(g):\n @functools.wraps(g)\n def w(run): return g(run)\n return w\n"
        "@d\ndef f(run): return 1",
        "import functools\ndef d(g):\n @functools.wraps(g)\n def w(run): return g(run)\n return w\n"
        "@d\ndef f(run): return 2",
    ),
    "what a cache wraps": (
        "import functools\n@functools.cache\ndef g(k): return 1\ndef f(run): return g(0)",
        "import functools\n@functools.cache\ndef g(k): return 2\ndef f(run): return g(0)",
    ),
    "an attribute of the function": ("def f(run): return f.k\nf.k = 1", "def f(run): return f.k\nf.k = 2"),
    "a name that is defined or not": ("def f(run): return K", "K = 1\ndef f(run): return K"),
    "which function is meant": ("import math\nf = math.floor", "import math\nf = math.ceil"),
    "an enum": (
        "import enum\nclass E(enum.Enum):\n A = 1\n B = 2\ndef f(run): return E.A.value",
        "import enum\nclass E(enum.Enum):\n A = 2\n B = 3\ndef f(run): return E.A.value",
    ),
    "a struct's default": (
        "import msgspec\nclass S(msgspec.Struct):\n k: int = 1\ndef f(run): return S().k",
        "import msgspec\nclass S(msgspec.Struct):\n k: int = 2\ndef f(run): return S().k",
    ),
    "a dataclass's default": (
        "import dataclasses\n@dataclasses.dataclass\nclass S:\n k: int = 1\ndef f(run): return S().k",
        "import dataclasses\n@dataclasses.dataclass\nclass S:\n k: int = 2\ndef f(run): return S().k",
    ),
    "an array's content": (
        "import numpy as np\nA = np.array([1, 2])\ndef f(run): return A.sum()",
        "import numpy as np\nA = np.array([1, 3])\ndef f(run): return A.sum()",
    ),
    "a frame's content": (
        "import pandas as pd\nA = pd.DataFrame({'a': [1, 2]})\ndef f(run): return A.a.sum()",
        "import pandas as pd\nA = pd.DataFrame({'a': [1, 3]})\ndef f(run): return A.a.sum()",
    ),
    "a cached property": (
        "import functools\nclass C:\n @functools.cached_property\n def k(self): return 1\ndef f(run): return C().k",
        "import functools\nclass C:\n @functools.cached_property\n def k(self): return 2\ndef f(run): return C().k",
    ),
    "a function chosen by type": (
        "import functools\ng = functools.singledispatch(lambda v: 0)\n@g.register\ndef _(v: int): return 1\n"
        "def f(run): return g(1)",
        "import functools\ng = functools.singledispatch(lambda v: 0)\n@g.register\ndef _(v: int): return 2\n"
        "def f(run): return g(1)",
    ),
    "an attribute of a set": (
        "class S(set): pass\ns = S('abc')\ns.k = 1\ndef f(run): return s.k",
        "class S(set): pass\ns = S('abc')\ns.k = 2\ndef f(run): return s.k",
    ),
    "a class's text": ("class C: '1'\ndef f(run): return C.__doc__", "class C: '2'\ndef f(run): return C.__doc__"),
    "a class's name": (
        "C = type('C', (), {})\ndef f(run): return C.__name__",
        "C = type('C', (), {})\nC.__name__ = 'D'\ndef f(run): return C.__name__",
    ),
    "an annotation": (
        "def g(v: 'm'): pass\ndef f(run): return g.__annotations__",
        "def g(v: 'km'): pass\ndef f(run): return g.__annotations__",
    ),
    "what was put into a package": (
        "import statistics\nstatistics.own = lambda v: 1\ndef f(run): return statistics.own(run)",
        "import statistics\nstatistics.own = lambda v: 2\ndef f(run): return statistics.own(run)",
    ),
    "a pattern": (
        "import re\nP = re.compile('a')\ndef f(run): return bool(P.match('a'))",
        "import re\nP = re.compile('b')\ndef f(run): return bool(P.match('a'))",
    ),
}


@pytest.mark.parametrize("what", CELLS)
def test_what_decides_is_in_the_key_and_a_cell_run_again_has_the_same(what: str) -> None:
    before, after = CELLS[what]
    assert digest_of_things(cell(before)) == digest_of_things(cell(before))
    assert digest_of_things(cell(before)) != digest_of_things(cell(after))


def test_where_and_when_something_was_written_does_not_count() -> None:
    text = "K = {'a': {1, 2}, 'b': frozenset('xyz')}\nclass C:\n k = 1\ndef f(run, o=C()):\n return K, o\n"
    assert digest_of_things(cell(text)) == digest_of_things(cell(f"# A comment.\n\n\n{text}unused = 5\n"))


def test_a_counter_that_is_only_added_to_is_not_read() -> None:
    text = "def f(run):\n  calls.append(run)\n  seen.add(1)\n  return 1\n"
    some, more = cell(text, calls=[1], seen={1}), cell(text, calls=[1, 2], seen={1, 2})
    assert digest_of_things(some) == digest_of_things(more)
    text = "def f(run):\n  calls.append(run)\n  return len(calls)\n"
    assert digest_of_things(cell(text, calls=[1])) != digest_of_things(cell(text, calls=[1, 2]))


def test_what_refers_to_itself_has_a_key() -> None:
    knot: list[Any] = [1]
    knot.append(knot)
    assert digest_of_things(knot) != digest_of_things([1, [1]])
    text = "def g(n): return f(n - 1) if n else K\ndef f(n): return g(n - 1) if n else K\n"
    assert digest_of_things(cell(text, K=1)) != digest_of_things(cell(text, K=2))


@pytest.mark.parametrize("way", ["import", "from", "inside"])
def test_modules_of_ones_own_count_by_what_is_read_of_them(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"own_module_{way}"
    (tmp_path / f"{name}.py").write_text("import threading\nLOCK = threading.Lock()\nK = 1\ndef g(): return K\n")
    monkeypatch.syspath_prepend(tmp_path)
    text = {
        "import": f"import {name} as own\ndef f(run): return own.g()",
        "from": f"from {name} import g\ndef f(run): return g()",
        "inside": f"def f(run):\n from {name} import g\n return g()",
    }[way]
    before = digest_of_things(cell(text))
    assert before == digest_of_things(cell(text))
    module = importlib.import_module(name)
    module.K = 2  # type: ignore[attr-defined]
    assert digest_of_things(cell(text)) != before
    monkeypatch.delitem(sys.modules, name)


@dataclasses.dataclass
class Point:
    """Something with generated methods."""

    x: int = 0
    tags: list[str] = dataclasses.field(default_factory=list)


class Colour(enum.Enum):
    """Names with values."""

    RED = "red"


class Pair(msgspec.Struct):
    """A struct."""

    a: int
    b: dict[str, int] = {}


Named = collections.namedtuple("Named", "a b")


def many_things() -> list[Any]:
    """One of each kind that people have lying about."""
    return [
        *(Point(1, ["a"]), Colour.RED, Pair(1, {"x": 2}), Named(1, 2), np.arange(3.0), pd.Timestamp("2026-01-01")),
        *(pd.DataFrame({"a": [1, None]}), functools.partial(max, 3), {"a", "b", "c"}, frozenset({1, 2}), b"x", 1j),
        *(collections.Counter("aab"), collections.OrderedDict(a=1), types.SimpleNamespace(a=1), range(3), slice(1, 2)),
        *(Path("/a"), np.float64(2), units_made, SpaceGame, SpaceGame(), "".join, [].append, str.upper, list[int]),
        *(int | None, np.mean, pd.DataFrame, functools.lru_cache(len), property(len), lambda: (yield), ..., None),
    ]


PRINTED = "from tests.lab.test_keys import digest_of_things, many_things; print(digest_of_things(many_things()))"


def test_keys_do_not_depend_on_the_process_or_its_hash_seed() -> None:
    said = {digest_of_things(many_things())}
    for seed in ("1", "2"):
        told = [sys.executable, "-c", PRINTED]
        done = subprocess.run(told, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True)
        said.add(done.stdout.strip())
    assert len(said) == 1


def test_what_has_no_content_says_where_it_is(tmp_path: Path) -> None:
    lock = threading.Lock()
    with open(tmp_path / "log.txt", "w") as log:
        inner = cell("def g(run): log.write('x')\ndef f(run): return g(run)", log=log)
        with pytest.raises(Unkeyable, match=r"log, which g reads: a TextIOWrapper has no content"):
            digest_of_things(inner)
    for thing in (lock, (one for one in "abc"), cell("def f(run): return lock", lock=lock)):
        with pytest.raises(Unkeyable, match="no content that could be compared"):
            digest_of_things(thing)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("K = 1\ndef f(run): return globals()['K']", "by globals"),
        ("K = 1\ndef f(run): return eval('K')", "by eval"),
        ("K = 1\ndef f(run):\n def g(): return eval('K')\n return g()", "by eval"),
        ("def f(run): return __import__('own').K", "by __import__"),
        ("import importlib\ndef f(run): return importlib.import_module('own').K", "by import_module"),
        ("from importlib import import_module\ndef f(run): return import_module('own').K", "by import_module"),
        ("def f(run):\n import sys\n return sys.modules['own'].K", "by modules"),
        ("def f(run): return open('limit.txt').read()", r"outside of Python \(open\)"),
        ("from pathlib import Path\ndef f(run): return Path('limit.txt').read_text()", r"\(read_text\)"),
        ("import os\ndef f(run): return os.environ['LIMIT']", r"\(environ\)"),
        (
            "import pandas\ndef g(): return pandas.read_csv('x.csv')\ndef f(run): return g()",
            "^g reads .*into a constant",
        ),
    ],
)
def test_what_code_finds_only_when_it_runs_has_no_key(text: str, told: str) -> None:
    with pytest.raises(Unkeyable, match=told):
        digest_of_things(cell(text))


def test_a_function_that_writes_a_file_and_names_like_those_of_builtins_have_keys() -> None:
    text = "def f(run):\n with open('log.txt', 'a') as log: log.write('x')\n return run.frame.eval('a + b')"
    assert digest_of_things(cell(text)) == digest_of_things(cell(text))
    text = "def eval(v): return 1\ndef f(run): return eval('K')"
    assert digest_of_things(cell(text)) != digest_of_things(cell(text.replace("1", "2")))


def in_a_new_process(text: str, directory: Path) -> str:
    """The digest of `f` in a script of a directory, with what lies there."""
    (directory / "script.py").write_text(
        f"from gamekit.lab.sweeps.keys import digest_of_things\n{text}\nprint(digest_of_things(f))\n"
    )
    path = str(Path(__file__).parents[2])
    told = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    run = [sys.executable, "script.py"]
    return subprocess.run(run, cwd=directory, env=told, capture_output=True, text=True, check=True).stdout.strip()


def test_a_module_of_ones_own_that_is_called_as_one_of_pythons_counts(tmp_path: Path) -> None:
    said = []
    for number in (1, 2):
        (tmp_path / "test.py").write_text(f"def g(): return {number}\n")
        said.append(in_a_new_process("from test import g\ndef f(run): return g()", tmp_path))
    assert said[0] != said[1]


@pytest.mark.parametrize("recorded", [True, False])
def test_an_installed_package_counts_by_its_files_when_its_version_stays(recorded: bool, tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    info = site / "research-1.0.dist-info"
    info.mkdir(parents=True)
    said = []
    for number in (1, 2, 2):
        (site / "research.py").write_text(f"__version__ = '1.0'\ndef g(): return {number}\n")
        if recorded:
            (info / "METADATA").write_text("Metadata-Version: 2.1\nName: research\nVersion: 1.0\n")
            (info / "top_level.txt").write_text("research\n")
            (info / "RECORD").write_text(f"research.py,sha256={number},20\nresearch-1.0.dist-info/RECORD,,\n")
        text = f"import sys\nsys.path.append({str(site)!r})\nfrom research import g\ndef f(run): return g()"
        said.append(in_a_new_process(text, tmp_path))
    assert said[0] != said[1] == said[2]


def test_all_of_gamekit_that_a_metric_may_use_decides() -> None:
    package = Path(gamekit.__file__).parent
    counted = {path.relative_to(package).as_posix() for path in deciding()}
    assert {"game.py", "names/looks.py", "lab/history.py", "lab/doctor/findings.py", "interval.py"} <= counted
    assert not [one for one in counted if one.startswith(("server/", "web/", "cli/"))]


def test_runs_of_what_has_no_key_are_told_and_never_taken_from_the_database(threads: Executor, tmp_path: Path) -> None:
    lock, path = threading.Lock(), tmp_path / "runs.db"
    runs: list[int] = []

    def guarded(run: Simulation) -> float:
        with lock:
            runs.append(run.seed)
            return 1.0

    for _ in range(2):
        with pytest.warns(UserWarning, match=r"lock.*no content.*all are run"):
            sweep([{}], 2, [guarded], hours=0.001, executor=threads, database=path, progress=False)
    assert len(runs) == 4


def test_results_of_an_older_gamekit_are_not_taken_and_that_is_said(threads: Executor, tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "runs.db"
    how: dict[str, Any] = {"hours": 0.001, "executor": threads, "database": path, "progress": False}
    sweep([{}], 2, [units_made], **how)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE runs SET key = substr(key, 3)")
    connection.close()
    with pytest.warns(UserWarning, match=r"2 results that an older gamekit.*run again"):
        sweep([{}], 2, [units_made], **how)
    assert kept(path) == 4
    sweep([{}], 2, [units_made], **how)
    assert kept(path) == 4


def test_hooks_scenario_setup_and_metric_each_decide(threads: Executor, tmp_path: Path) -> None:
    """With one database, and one thing changed after the other; then all again, of which nothing is run."""
    factor = {"bid": 1}

    class Eager(SpaceGame):
        name = "eager"

        def bid(self, state: Any, ship: Any, prospect: Any) -> int:
            return super().bid(state, ship, prospect) * factor["bid"]

    scenario = tmp_path / "own.toml"
    text = 'name = "procedural"\nsectors = 3\n'
    scenario.write_text(text)
    runs: list[int] = []

    def counted(run: Simulation) -> float:
        runs.append(1)
        return 1.0

    def study(**changes: Any) -> int:
        before = len(runs)
        given: dict[str, Any] = {"scenario": scenario, "game": Eager, **changes}
        sweep([{}], 1, [counted], hours=0.01, executor=threads, database=tmp_path / "runs.db", progress=False, **given)
        return len(runs) - before

    assert [study(), study()] == [1, 0]
    factor["bid"] = 2
    assert [study(), study()] == [1, 0]
    scenario.write_text(text.replace("3", "4"))
    assert [study(), study()] == [1, 0]
    assert [study(setup=cell("def f(state, game): return None")) for _ in range(2)] == [1, 0]
    assert study(setup=cell("def f(state, game): return [][:0] or None")) == 1
