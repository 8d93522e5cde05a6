"""The page of a study, made of figures that no training gave."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hornbook.errors import HornbookError
from hornbook.report.study import charts, write_study


def test_the_page_is_whole_and_tells_it(found: dict[str, Any], tmp_path: Path) -> None:
    found = json.loads(json.dumps(found))  # a page can be made again of what was saved
    page = re.sub("</?bdi>", "", write_study(found, tmp_path / "page.html").read_text("utf-8"))
    assert "Is it &lt;i&gt;new&lt;/i&gt;?</h1>" in page and "plain &lt;b&gt;" in page
    assert "<dt>threads</dt><dd>2: HORNBOOK_THREADS is 2</dd>" in page
    head, body = page.split("<main>")[0], page.split("<main>")[1].split("</main>")[0]
    assert (
        "loss: 3.103 (new) against 4.100 (plain &lt;b&gt;), better by 0.997 nats/label (95 % interval" in head
    )
    for figure in (
        "4.000",
        "4.100",
        "4.200",
        "3.110",
        "−0.997",
        ">better<",
        "61.3",
        "61.0, 62.5, 60.4",
        "819 k",
    ):
        assert figure in body
    assert "<i>" not in body and "<b>" not in body and "--set corpus.limit=9" in body
    outside = re.sub(r'<script type="text/plain".*?</script>', "", page, flags=re.S)
    assert not re.search(r"(src|href)\s*=|url\(|https?://(?!www\.w3)", outside)


def test_the_chart_has_a_curve_for_each_run(found: dict[str, Any]) -> None:
    [chart] = charts(found)
    assert [curve["run"] for curve in chart["curves"]] == [0, 0, 0, 1, 1, 1]
    assert chart["curves"][4]["evaluate"]["value"][-1] == chart["curves"][4]["last"] == 3.11 + 1
    assert chart["curves"][4]["name"] == "new, seed 1"


def test_a_path_that_cannot_be_written(found: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HornbookError, match="a folder is needed here, but this is a file"):
        write_study(found, tmp_path / "file" / "page.html")
