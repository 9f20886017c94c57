"""The row of headings a list begins with: which columns it names, which it lacks, what is below (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from server.domain.sheets.cells import MOST_ROWS, Findings, Sheet
from server.protocol.messages import Words

Kind = TypeVar("Kind", int, str)

HEADING_ROWS = 10
"""A title or a note may stand above."""


def is_too_long(sheet: Sheet, findings: Findings) -> bool:
    """Told, where it is."""
    if len(sheet.rows) <= MOST_ROWS:
        return False
    zh, en = f"表格超过 {MOST_ROWS} 行，请分开导入。", f"Over {MOST_ROWS} rows: import it in parts."
    findings.tell(sheet, MOST_ROWS, 0, "too_many_rows", zh, en)
    return True


def columns_of(sheet: Sheet, row: int, headings: Mapping[str, Kind]) -> dict[Kind, int]:
    """Which kinds of column a row names, and where; a kind that stands twice is the first one."""
    named: dict[Kind, int] = {}
    for column in range(len(sheet.rows[row])):
        kind = headings.get(sheet.at(row, column).lower())
        if kind is not None:
            named.setdefault(kind, column)
    return named


def lacks(
    sheet: Sheet, row: int, columns: Mapping[Kind, int], needed: Mapping[Kind, Words], findings: Findings
) -> bool:
    """Told, where a column that is needed is not there."""
    missing = [words for kind, words in needed.items() if kind not in columns]
    if missing:
        zh, en = "、".join(each.zh for each in missing), ", ".join(each.en for each in missing)
        findings.tell(sheet, row, 0, "missing_columns", f"缺少列：{zh}。", f"Columns missing: {en}.")
    return bool(missing)


def rows_below(sheet: Sheet, row: int) -> Iterator[int]:
    """The rows that have anything in them."""
    for below in range(row + 1, len(sheet.rows)):
        if any(cell.strip() for cell in sheet.rows[below]):
            yield below
