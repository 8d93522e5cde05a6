"""A page shown to the user: in a browser, or in the output of a notebook's cell."""

import webbrowser
from html import escape
from pathlib import Path
from threading import Thread
from typing import Any

from hornbook.console import CONSOLE
from hornbook.reporter import Reporter

_IN_A_TERMINAL = {"www-browser", "links", "elinks", "lynx", "w3m"}
"""Browsers that would take the terminal in which the training reports."""


class Shown:
    """A page that is shown, now and whenever it is written again."""

    def __init__(self, page: Path, report: Reporter) -> None:
        self.page, self.report, self._output = page, report, None
        if CONSOLE.is_jupyter:
            self._output = _display(self._drawn(), display_id=True)
        else:
            Thread(target=self._open, daemon=True).start()  # some browsers return only when they are closed

    def again(self) -> None:
        """Draw it anew in a notebook; in a browser it loads itself."""
        if self._output is not None:
            self._output.update(self._drawn())

    def _open(self) -> None:
        browser = _browser()
        if browser is None or not browser.open(self.page.resolve().as_uri()):
            self.report.say(
                f"There is no browser here: the page is {self.page.resolve()}, and grows as the run goes on"
            )

    def _drawn(self) -> Any:
        from IPython.display import HTML

        text = escape(self.page.read_text("utf-8"))
        return HTML(f'<iframe srcdoc="{text}" style="width: 100%; height: 45rem; border: 0"></iframe>')


def _display(drawn: Any, **how: Any) -> Any:
    from IPython.display import display

    return display(drawn, **how)


def _browser() -> webbrowser.BaseBrowser | None:
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return None
    return None if Path(getattr(browser, "name", "")).name in _IN_A_TERMINAL else browser
