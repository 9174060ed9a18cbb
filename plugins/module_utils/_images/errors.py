# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can go wrong with images, said in one sentence each."""

from __future__ import annotations


class ImagesError(Exception):
    """Something about images that the caller can mend."""


class CatalogError(ImagesError):
    """The catalogue contradicts itself; the message lists every problem."""


class BuildError(ImagesError):
    """One step failed; its log tells why."""

    def __init__(self, name: str, reason: str, log: str, tail: list[str]) -> None:
        self.name, self.reason, self.log, self.tail = name, reason, log, tail
        lines = "".join(f"\n    {line}" for line in tail)
        super().__init__(f"{name}: {reason}. The whole log is in {log}; its last lines:{lines}")
