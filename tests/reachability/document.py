"""The matrix within docs/security.md."""

from __future__ import annotations

from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs/security.md"
BEGIN = "<!-- matrix: begin (written by `python -m tests.reachability`) -->\n"
END = "<!-- matrix: end -->\n"


def written() -> str:
    """Return the matrix as the document has it."""
    return DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip() + "\n"


def write(matrix: str) -> None:
    """Replace the matrix in the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    DOCUMENT.write_text(f"{before}{BEGIN}\n{matrix}\n{END}{after}", encoding="utf-8")
