"""What a host does about its journal's health: says it, measures it, and brings games back that turned read-only.

Owns no session. A game whose write failed stays read-only in memory: what is on the disk of its last record is not
known. Where the cause passes (a full disk with room again, files that are back), the journal has brought its log into
the database, so the game is let go of and opened anew from its history, as after a restart: clients reconnect, resend
what has no ack, and get the original answers.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from gamekit.journal import Health

if TYPE_CHECKING:
    from gamekit.server.host import Host
    from gamekit.server.runner import Runner

log = logging.getLogger("gamekit.server")

_BACK = "The journal can be written again; connect again, and the game goes on from its history."


class StorageWatch:
    """The journal of one host, looked at every second.

    Args:
        host: whose journal it is.
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        self._last = Health()

    def unready(self) -> str | None:
        """Why this server does not take every command at present; None when it does."""
        health = self.host.journal.health()
        if health.failing is not None:
            return health.failing
        failed = [one for one in self.host.runners.values() if one.readonly is not None]
        if failed:
            return f"{len(failed)} games are read-only, {failed[0].id} among them: {failed[0].readonly}"
        return None

    def look(self) -> None:
        """Do what a second asks for."""
        host, health, last = self.host, self.host.journal.health(), self._last
        self._last = health
        metrics = host.metrics
        metrics.journal_failing.set(health.failing is not None)
        metrics.journal_late.set(health.late is not None)
        metrics.journal_log.set(health.log_bytes)
        runners = list(host.runners.values())
        if health.displaced and not last.displaced:
            # Nobody has to try in vain first.
            for runner in runners:
                runner.fail(health.failing or "", passes=True)
        if health.failing is None:
            self._bring_back([one for one in runners if one.readonly is not None and one.failure_passes])
        metrics.readonly.set(sum(one.readonly is not None for one in host.runners.values()))
        if (health.late is None) != (last.late is None):
            kind = "late" if health.late else "late_over"
            text = f"Commands are confirmed late: {health.late}." if health.late else "Commands are confirmed in time."
            for runner in runners:
                runner.notify(kind, text)

    def _bring_back(self, failed: list[Runner]) -> None:
        """Let go of these games; those with connections are opened anew at once, the others when they are asked for."""
        for runner in failed:
            watched = bool(runner.sockets)
            runner.end(_BACK)
            self.host.forget(runner)
            if watched:
                self.host.rouse(runner.id)
        if failed:
            log.warning("the journal can be written again: %d games are opened anew from their histories", len(failed))
