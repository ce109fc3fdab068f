"""Reports as CSV for a spreadsheet: one table, whose first column says which section a row is of.

Guarantees: no cell is a formula. What a spreadsheet would compute (a cell that begins with = + - @, a tab or a carriage
return) gets an apostrophe before it, for names of files and users come from endpoints (CWE-1236).
"""

import csv
import io
from typing import Final

from api.reports.render.rows import tables
from api.reports.values import DayReport, SpreadReport, WindowReport

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What begins a formula, the full-width forms included, which some spreadsheets take too."""


def render(report: DayReport | WindowReport | SpreadReport) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    columns: tuple[str, ...] = ()
    for table in tables(report):
        if table.columns != columns:
            if columns and not table.rows:
                continue
            columns = table.columns
            writer.writerow(("section", *columns))
        writer.writerows([table.title, *(harmless(cell) for cell in row)] for row in table.rows)
    return out.getvalue()


def harmless(cell: str) -> str:
    """The cell as text that no spreadsheet computes."""
    return f"'{cell}" if cell.startswith(FORMULA) or cell.lstrip().startswith(FORMULA) else cell
