"""Where the sentences of a text begin.

BERT's published code expects one sentence a line, and leaves the splitter to the user. The rule here is simple. A
sentence ends at the end of a line. It also ends at a full stop, a question or exclamation mark, or an ellipsis, with
the quotes and brackets that close after it, if a space and then anything but a small letter follow. Chinese, Japanese
and Hindi stops need no space. An abbreviation before a name also ends a sentence; this does little harm, since most
segments hold several sentences.
"""

import re

_END = re.compile(r"\n\s*|(?<![.!?…])[.!?…][.!?…\"'”’»)\]]*\s+|[。！？｡।॥][”’」』）]*\s*")


def sentence_starts(text: str) -> list[int]:
    """Return the characters at which the sentences after the first begin, ascending."""
    return [
        match.end()
        for match in _END.finditer(text)
        if match.end() < len(text) and ("\n" in match[0] or not text[match.end()].islower())
    ]
