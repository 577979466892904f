"""What changed between two views, as a patch that `gamekit.game.merge` applies."""

from __future__ import annotations

from typing import Any

from gamekit.game import Changes, View


def patch_between(before: View, after: View) -> Changes | None:
    """The patch that makes `after` of `before`; None when no patch can, because fields or tables went away."""
    if before.keys() - after.keys():
        return None
    changes: dict[str, Any] = {}
    for table, entities in after.items():
        held = before.get(table)
        if held == entities:
            continue
        if not isinstance(entities, dict) or not isinstance(held, dict):
            changes[table] = entities
            continue
        rows: dict[str, Any] = dict.fromkeys(held.keys() - entities.keys())
        for key, fields in entities.items():
            old = held.get(key)
            if old == fields:
                continue
            if not isinstance(fields, dict) or not isinstance(old, dict):
                rows[key] = fields
            elif old.keys() - fields.keys():
                return None
            else:
                rows[key] = {name: value for name, value in fields.items() if name not in old or old[name] != value}
        changes[table] = rows
    return changes
