from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.qhub.platform.plugins.module_utils._config.quantities import (
    parse_duration,
    parse_memory,
    parse_quantity,
)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("500m", 0.5), ("2", 2), (0.5, 0.5), ("1k", 1000), ("1Ki", 1024), (".5", 0.5), ("0", 0)],
)
def test_quantities(text: str | float, amount: float) -> None:
    assert float(parse_quantity(text)) == amount


@pytest.mark.parametrize("text", ["", "x", "1x", "1 Gi", "-1", "1GiB", "1e3", True, "½", "٣"])
def test_what_is_no_quantity(text: str | bool) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        parse_quantity(text)


def test_memory_in_thousandths_is_a_mistake_with_a_way_out() -> None:
    with pytest.raises(ValueError, match="512Mi"):
        parse_memory("512m")


def test_memory_is_a_whole_number_of_bytes() -> None:
    assert parse_memory("0.5Gi") == 2**29
    with pytest.raises(ValueError, match="whole number"):
        parse_memory("0.3")


@given(st.integers(min_value=0, max_value=10**6), st.sampled_from(["", "k", "M", "G", "Ki", "Mi", "Gi"]))
def test_memory_of_whole_numbers_never_fails_and_grows_with_the_number(number: int, suffix: str) -> None:
    assert parse_memory(f"{number + 1}{suffix}") > parse_memory(f"{number}{suffix}") >= number


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5400), ("1.5h", 5400), ("5ms", 0.005)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "1 h", "1d", "h", "1hour", "-1s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)
