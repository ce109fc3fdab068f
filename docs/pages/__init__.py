"""One module for each generated page of the reference; each has `page()`, its text."""

from collections.abc import Iterable


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; bars and line ends in cells are made harmless."""
    lines = [list(head), *(list(row) for row in rows)]
    out = ["| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in line) + " |" for line in lines]
    return "\n".join([out[0], "|" + "---|" * len(lines[0]), *out[1:]])
