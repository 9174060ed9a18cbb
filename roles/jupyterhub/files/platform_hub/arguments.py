"""What a user's server is told on its command line."""

from __future__ import annotations

from platform_hub.culling import culling_arguments, policy
from platform_hub.settings import Idle, Settings

# An image that holds jupyter-collaboration shares every notebook unless it is told not to.
_ALONE = ["--YDocExtension.disable_rtc=True", "--ServerApp.jpserver_extensions=jupyter_server_fileid=False"]
# Its databases hold nothing that has to outlive the server, and SQLite in a home is slow over the network and fails when the
# home is full.
_TOGETHER = ["--BaseFileIdManager.db_path=/tmp/file-ids.db", "--SQLiteYStore.db_path=/tmp/edits.db"]


def arguments(settings: Settings, idle: Idle) -> list[str]:
    """The arguments of a server whose profile differs from the site's policy for idle servers by `idle`."""
    found = culling_arguments(policy(settings["culling"], idle)) if settings["culling"]["enabled"] else []
    return found + (_TOGETHER if settings["servers"]["collaboration"] else _ALONE)
