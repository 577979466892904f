"""Where a launched server is found from a browser, when the kernel runs behind JupyterHub.

There a browser reaches nothing but `/user/NAME/...`; jupyter-server-proxy passes `/user/NAME/proxy/PORT/...` on to a
port of the machine on which the kernel runs. JupyterHub tells kernels their prefix in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit


def base_url(environment: Mapping[str, str] = os.environ) -> str:
    """The prefix for a server launched from here, with `{port}` where its port goes; "" outside JupyterHub."""
    prefix = environment.get("JUPYTERHUB_SERVICE_PREFIX", "").rstrip("/")
    return f"{prefix}/proxy/{{port}}" if prefix else ""


def page_root(prefix: str, own_root: str, environment: Mapping[str, str] = os.environ) -> str:
    """What a browser calls the server's root, without a slash at its end.

    Args:
        prefix: the server's, as it said when it was ready; "" for none.
        own_root: its root as seen from this machine.
        environment: JUPYTERHUB_PUBLIC_URL or JUPYTERHUB_HOST tell the hub's address; without them it is a path, which
            leads to the right place from any page of the hub.
    """
    if not prefix:
        return own_root
    for name in ("JUPYTERHUB_PUBLIC_URL", "JUPYTERHUB_HOST"):
        parts = urlsplit(environment.get(name, ""))
        if parts.scheme and parts.netloc:
            return f"{parts.scheme}://{parts.netloc}{prefix}"
    return prefix if "JUPYTERHUB_SERVICE_PREFIX" in environment else f"{own_root}{prefix}"
