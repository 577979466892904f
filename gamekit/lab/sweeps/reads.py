"""What a function's code reads, from its bytecode."""

from __future__ import annotations

import dis
import types

#: Methods that add to a list, set or deque and give nothing back: what is only added to is not read.
_ADDING = frozenset({"append", "add", "extend", "appendleft", "extendleft"})


#: Instructions that read a variable of the module, and one of a function around; those of newer Pythons too.
_GLOBAL = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_WRITING = frozenset({"w", "a", "x", "wb", "ab", "xb", "wt", "at", "xt"})
_FREE = frozenset({"LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"})


class Names:
    """Which globals, attributes of them and imports a function's code names, inner functions included."""

    def __init__(self, code: types.CodeType) -> None:
        self.names: set[str] = set()
        #: {global or free variable: attributes that are taken of it; "" where it is used otherwise}
        self.attributes: dict[str, set[str]] = {}
        #: {module that is imported when the function runs: names that are taken from it}
        self.imported: dict[str, set[str]] = {}
        #: every global, attribute and module that is named at all
        self.said: set[str] = set()
        #: whether a file that is named here is opened for writing only
        self.writes = False
        self._scan(code)

    def only_added_to(self, name: str) -> bool:
        """Whether nothing but methods that add something is ever called of this variable."""
        taken = self.attributes.get(name, set())
        return bool(taken) and taken <= _ADDING

    def _scan(self, code: types.CodeType) -> None:
        steps = [one for one in dis.get_instructions(code) if one.opname not in ("CACHE", "PRECALL", "EXTENDED_ARG")]
        self.said.update(code.co_names)
        self.writes = self.writes or not _WRITING.isdisjoint(one for one in code.co_consts if isinstance(one, str))
        module, dots = "", 0
        for step, after in zip(steps, [*steps[1:], None], strict=True):
            if step.opname in _GLOBAL or step.opname in _FREE:
                if step.opname in _GLOBAL:
                    self.names.add(step.argval)
                next_is = after is not None and after.opname in ("LOAD_ATTR", "LOAD_METHOD")
                self.attributes.setdefault(step.argval, set()).add(after.argval if next_is and after else "")
            elif step.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
                self.names.add(step.argval)
            elif step.opname in ("LOAD_CONST", "LOAD_SMALL_INT") and type(step.argval) is int:
                dots = step.argval
            elif step.opname == "IMPORT_NAME":
                module, dots = "." * dots + step.argval, 0
                self.imported.setdefault(module, set())
            elif step.opname == "IMPORT_FROM":
                self.imported.setdefault(module, set()).add(step.argval)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self._scan(constant)
