"""Read runs from their folders, and compare them in a table and on a page."""

from hornbook.report.compare import Comparison, compare
from hornbook.report.page import write_page
from hornbook.report.runs import RunRecord, read_run
from hornbook.report.table import compare_table

__all__ = ["Comparison", "RunRecord", "compare", "compare_table", "read_run", "write_page"]
