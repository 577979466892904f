"""A real JupyterLab with a real browser, for tests."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from playwright.sync_api import Page

TOKEN = "test"
#: True once the notebook is open and its kernel idle; must not be async.
READY = """() => {
  const panel = globalThis.jupyterapp?.shell?.currentWidget;
  const session = panel?.context?.isReady && panel.sessionContext?.isReady && panel.sessionContext.session;
  return Boolean(session && session.kernel && session.kernel.status === "idle");
}"""

#: Start all cells; `ran` becomes true or the error.
RUN_ALL = """() => {
  globalThis.ran = false;
  const running = jupyterapp.commands.execute("notebook:run-all-cells");
  running.then(() => { ran = true; }, (error) => { ran = String(error); });
}"""

#: What went wrong in the open notebook's cells, as its document has it.
ERRORS = """() => [...jupyterapp.shell.currentWidget.content.model.cells]
  .filter((cell) => cell.type === "code")
  .flatMap((cell) => cell.outputs.toJSON())
  .filter((output) => output.output_type === "error")
  .map((output) => `${output.ename}: ${output.evalue}`)"""

#: Run code in the notebook's kernel and return what it prints.
ASK_KERNEL = """async (code) => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({ code, store_history: false });
  let printed = "";
  future.onIOPub = ({ header, content }) => {
    if (header.msg_type === "stream") printed += content.text;
    if (header.msg_type === "error") printed += content.traceback.join("\\n");
  };
  await future.done;
  return printed;
}"""


class JupyterLab:
    """JupyterLab on a free port of 127.0.0.1, with settings of its own.

    Args:
        directory: where its notebooks and everything else of it are.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "lab.log"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> JupyterLab:
        self._write_settings()
        homes = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        environment = os.environ | {name: str(self.directory / name.lower()) for name in homes}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={self.port}"]
        options = {
            "ServerApp.port_retries": 0,
            "ServerApp.root_dir": self.directory / "notebooks",
            "IdentityProvider.token": TOKEN,
            "LabApp.expose_app_in_browser": True,
            "LabApp.user_settings_dir": self.directory / "settings",
            "LabApp.workspaces_dir": self.directory / "workspaces",
        }
        self._process = subprocess.Popen(
            [*command, *(f"--{name}={value}" for name, value in options.items())],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stderr is not None
        said = ""
        for line in self._process.stderr:
            said += line
            if f"127.0.0.1:{self.port}/lab" in line:
                return self
        raise AssertionError(f"JupyterLab did not start:\n{said}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        # Its kernels end with it; what it still says is read so that it can.
        self._process.communicate(timeout=60)

    def url(self, notebook: str) -> str:
        """Where a notebook is opened, in a fresh workspace."""
        return f"http://127.0.0.1:{self.port}/lab/tree/{notebook}?reset&token={TOKEN}"

    def _write_settings(self) -> None:
        (self.directory / "notebooks").mkdir(parents=True)
        # No news from the network, and every output in the page whether in sight or not.
        settings = {
            "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
            "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none", "autoRenderMarkdownCells": True},
        }
        for name, values in settings.items():
            path = self.directory / "settings" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))


def ask_kernel(page: Page, code: str) -> Any:
    """What a line of code prints in the open notebook's kernel, as JSON."""
    printed = page.evaluate(ASK_KERNEL, f"import json\nprint(json.dumps({code}))")
    return json.loads(printed)
