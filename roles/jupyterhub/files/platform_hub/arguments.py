"""What a user's server is told on its command line."""

from __future__ import annotations

from platform_hub.culling import culling_arguments, policy
from platform_hub.settings import Idle, Settings


def arguments(settings: Settings, idle: Idle) -> list[str]:
    """The arguments of a server whose profile differs from the site's policy for idle servers by `idle`."""
    found = culling_arguments(policy(settings["culling"], idle)) if settings["culling"]["enabled"] else []
    if not settings["servers"]["collaboration"]:
        # An image that holds jupyter-collaboration shares every notebook unless it is told not to, and keeps a database of
        # all files in the home for that, which volumes over the network are slow at.
        found += ["--YDocExtension.disable_rtc=True", "--ServerApp.jpserver_extensions=jupyter_server_fileid=False"]
    return found
