# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kubernetes quantities and Go durations: what they look like, and what they amount to."""

from __future__ import annotations

import re
from decimal import Decimal

_QUANTITY = re.compile(r"(?P<number>\d+(?:\.\d+)?|\.\d+)(?P<suffix>m|[kMGTPE]|[KMGTPE]i)?", re.ASCII)
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h))+", re.ASCII)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")

_FACTORS = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{prefix: Decimal(1000) ** power for power, prefix in enumerate("kMGTPE", start=1)},
    **{f"{prefix}i": Decimal(1024) ** power for power, prefix in enumerate("KMGTPE", start=1)},
}
_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}


def parse_quantity(text: str | int | float) -> Decimal:
    """Return what a Kubernetes quantity amounts to: cores for CPU, bytes for memory. Raises ValueError."""
    match = _QUANTITY.fullmatch(str(text))
    if match is None or isinstance(text, bool):
        raise ValueError(f"{text!r} is not a quantity")
    return Decimal(match["number"]) * _FACTORS[match["suffix"] or ""]


def parse_memory(text: str | int | float) -> int:
    """Return the bytes of a memory or storage quantity. Raises ValueError with what is wrong with it."""
    quantity = parse_quantity(text)
    if str(text).endswith("m"):
        raise ValueError(f"{text!r} is a thousandth of a byte; mebibytes are written {str(text)[:-1]}Mi")
    if quantity != quantity.to_integral_value():
        raise ValueError(f"{text!r} is not a whole number of bytes")
    return int(quantity)


def parse_duration(text: object) -> float:
    """Return the seconds of a duration such as `90s`, `10m` or `1h30m`. Raises ValueError."""
    if not isinstance(text, str) or _DURATION.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a duration")
    return float(sum(Decimal(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(text)))
