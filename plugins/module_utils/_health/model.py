# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a look at the platform yields: findings, and the table that people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that was looked at."""

    component: str
    what: str
    healthy: bool
    detail: str = ""


def table(findings: Sequence[Finding]) -> str:
    """Return the findings as a table, those that need attention marked."""
    rows = [("COMPONENT", "WHAT", "STATE", "DETAIL")]
    rows += [
        (finding.component, finding.what, "ok" if finding.healthy else "NOT OK", finding.detail)
        for finding in sorted(findings)
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def complaint(findings: Sequence[Finding]) -> str:
    """Return what is not healthy, one line each; empty when all is well."""
    wrong = [finding for finding in sorted(findings) if not finding.healthy]
    return "\n".join(f"{finding.component}: {finding.what}: {finding.detail or 'not healthy'}" for finding in wrong)
