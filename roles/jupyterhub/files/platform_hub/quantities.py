"""Kubernetes quantities as the numbers that the spawner takes."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

_FACTORS = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
}
_QUANTITY = re.compile(r"([0-9.]+)([a-zA-Z]*)")


def _number(value: str | float) -> Decimal:
    match = _QUANTITY.fullmatch(str(value).strip())
    if match is None or match[2] not in _FACTORS:
        raise ValueError(f"{value!r} is not a quantity such as 500m, 1.5, 512Mi or 2Gi")
    try:
        return Decimal(match[1]) * _FACTORS[match[2]]
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is not a quantity such as 500m, 1.5, 512Mi or 2Gi") from error


def cores(value: str | float) -> float:
    """CPU cores: `500m` is 0.5."""
    return float(_number(value))


def size(value: str | float) -> int:
    """Bytes: `512Mi` is 536870912."""
    return int(_number(value))
