# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one error of generated secrets. Its messages name Secrets and keys, never values."""

from __future__ import annotations

from collections.abc import Sequence


class SecretsError(Exception):
    """What is wrong with the wish or with the Secrets found, all of it at once."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))
