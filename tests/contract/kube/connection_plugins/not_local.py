"""The local connection under another name: Ansible sends modules over it, as to any other machine."""

from __future__ import annotations

from ansible.plugins.connection.local import DOCUMENTATION as LOCAL
from ansible.plugins.connection.local import Connection as LocalConnection

DOCUMENTATION = LOCAL.replace("name: local", "name: not_local")


class Connection(LocalConnection):  # type: ignore[misc]  # Ansible's base has no types
    transport = "not_local"
