"""What a user's server is told on its command line."""

from __future__ import annotations

from platform_hub.culling import culling_arguments, policy
from platform_hub.settings import Idle, Settings

# What jupyter-collaboration keeps beside the documents has no need to outlive the server, and SQLite in a home is slow over the
# network and fails when the home is full.
_DATABASES = ["--BaseFileIdManager.db_path=/tmp/file-ids.db", "--SQLiteYStore.db_path=/tmp/edits.db"]


def arguments(settings: Settings, idle: Idle) -> list[str]:
    """The arguments of a server whose profile differs from the site's policy for idle servers by `idle`."""
    found = culling_arguments(policy(settings["culling"], idle)) if settings["culling"]["enabled"] else []
    if not settings["servers"]["collaboration"]:
        found.append("--YDocExtension.disable_rtc=True")  # an image that holds it shares every notebook otherwise
    return found + _DATABASES
