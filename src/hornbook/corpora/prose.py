"""Turn reStructuredText into plain paragraphs for a model to read."""

import inspect
import re
from collections.abc import Iterator

_UNDERLINE = re.compile(r"\s*([-=*~^#+\".`])\1{2,}\s*$")
_BULLET = re.compile(r"\s*(?:[-*•o+]|\(?\d{1,2}[.)])\s+(?=\S)")
_ITEM = re.compile(_BULLET.pattern + r"|\s*(?:>>>|[:@](?:param|arg|keyword|type|raises?|returns?|rtype)\b)")
_CALL = re.compile(
    r"(?:(?:class|exception|method|function)\s+)?[A-Za-z_][\w.]*\([^()]*(?:\([^()]*\)[^()]*)*\)(?:\s*->.*)?:?$"
)
_FIELD = re.compile(r"[:@](?:param|arg|keyword|type|raises?|returns?|rtype)\b\s*([^:]*):?\s+(?=\S)")
_MARKUP = [  # (what the text must hold, pattern, what stays)
    ("`", re.compile(r":[a-z:]+:`~(?:[\w.]*\.)?(\w+)`"), r"\1"),  # :class:`~email.message.Message` -> Message
    ("`", re.compile(r":[a-z:]+:`!?([^`<]+?)(?:\s*<[^`>]*>)?`"), r"\1"),  # :func:`len` -> len
    ("`", re.compile(r"``(.+?)``"), r"\1"),
    ("`", re.compile(r"`([^`<]+?)(?:\s*<[^`>]*>)?`_{0,2}"), r"\1"),
    ("`", re.compile(r"`([^`']{1,60})'"), r"'\1'"),  # the quotes of typewriters
    ("*", re.compile(r"(?<![\w*])(\*\*?)(\w[^*]*?)\1(?![\w*])"), r"\2"),
    ("::", re.compile(r"::(?=\s|$)"), ":"),
    ("[", re.compile(r"\s*\[\d+\]_?"), ""),  # footnotes
]
# Frequent English words; lists of names, tables and code hold hardly any of them.
_COMMON = frozenset(
    """a an and any are as at be been but by can cannot do does else for from get given has have if in into is
    it its may must no nor not of on one only or otherwise return returns set should so than that the their
    then there these they this to use used uses using was we were when where whether which while will with
    would you
    """.split()  # noqa: SIM905
)
# "add_note(note) -- add a note to the exception"
_SIGNATURE = re.compile(r"^[\w.]+\([^()]*\)(?: -> \w+)? --? ")
_UNWANTED = re.compile(
    r"\bat 0x|>>>|::=|^\.\. |\$(?:Id|Revision)\b|@\w+\.\w"
    r"|copyright|all rights reserved|\blicen[cs]e|warranty",
    re.IGNORECASE,
)
_WORD = re.compile(r"[(\"'\[]*[A-Za-z]+(?:[-'’/][A-Za-z]+)*[)\"'\],.;:!?]*$")


def paragraphs(text: str) -> Iterator[str]:
    """Yield the prose of a documentation text: each paragraph, and each item of a list, as one line.

    Code, doctests, grammars, tables, licences and lines of markup are left out. The name of a signature is put before
    its description: `list.sort: Sort the list in ascending order ...`. The text is dedented as docstrings are.
    """
    lead, lead_indent = "", -1
    announced = ""  # a paragraph that ends in a colon, until it is known whether what it announces is kept
    for block in _blocks(inspect.cleandoc(text).splitlines()):
        indent = len(block[0]) - len(block[0].lstrip())
        if _CALL.match(" ".join(line.strip() for line in block)):
            lead, lead_indent = _called(block[0]), indent
            continue
        if len(block) > 1 and _CALL.match(block[0].strip()) and block[1][:1].isspace():
            lead, lead_indent, block = _called(block[0]), indent, block[1:]
        elif indent <= lead_indent:
            lead = ""
        plain = "" if announced.endswith("::") and indent else _plain(block)
        if announced and (told := _told(announced, bool(plain))):
            yield told
        announced = ""
        if plain and lead:
            plain, lead = f"{lead}: {plain.removeprefix('- ')}", ""
        if plain.endswith(":"):
            announced = plain + ":" * block[-1].rstrip().endswith("::")
        elif plain:
            yield plain
    if announced and (told := _told(announced, False)):
        yield told


def sections(text: str) -> Iterator[tuple[str, str]]:
    """Cut a text at its underlined headings into (heading, text under it); the first may have none."""
    heading, body = "", list[str]()
    for line in text.splitlines():
        if _UNDERLINE.match(line) and body and body[-1].strip() and abs(len(body[-1]) - len(line)) <= 2:
            title = body.pop()
            yield heading, "\n".join(body)
            heading, body = _inline(title.strip()), []
        else:
            body.append(line)
    yield heading, "\n".join(body)


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Cut lines into blocks: at empty lines, before each item of a list, and before a doctest."""
    block: list[str] = []
    doctest = False
    for line in lines:
        if not line.strip() or _UNDERLINE.match(line):
            starts, doctest = True, False
        else:
            starts = not doctest and bool(_ITEM.match(line))
            doctest = doctest or line.lstrip().startswith(">>>")
        if starts and block:
            yield block
            block = []
        if line.strip() and not _UNDERLINE.match(line):
            block.append(line)
    if block:
        yield block


def _plain(block: list[str]) -> str:
    """Return a block as one line of prose, or an empty string if it isn't prose."""
    joined = " ".join(line.strip() for line in block)
    if _UNWANTED.search(joined) or sum("   " in line.strip() for line in block) * 2 > len(block):
        return ""
    bullet = _BULLET.match(joined)
    joined = joined[bullet.end() :] if bullet else _SIGNATURE.sub("", joined)
    joined = _FIELD.sub(lambda field: f"{field[1]}: " if field[1] else "", joined)
    words = _inline(joined).split()
    if not _is_prose(words):
        return ""
    return ("- " if bullet else "") + " ".join(words)


def _is_prose(words: list[str]) -> bool:
    plain = sum(bool(_WORD.match(word)) for word in words)
    if len(words) < 3 or plain < 0.66 * len(words):
        return False
    common = sum(word.strip("()\"',.;:").lower() in _COMMON for word in words)
    return common >= 0.15 * len(words) or (len(words) < 8 and plain == len(words) and words[-1][-1] in ".!?")


def _told(announced: str, followed: bool) -> str:
    """End a paragraph that closes with a colon: if what it announces was left out, drop the last sentence."""
    text = announced.rstrip(":")
    if followed:
        return text + ":"
    earlier = text[: text.rfind(". ") + 1]
    return earlier or (text + "." if len(text) > 60 else "")


def _called(signature: str) -> str:
    """Return the dotted name in a signature."""
    return re.sub(r"^(?:class|exception|method|function)\s+|\(.*", "", signature.strip())


def _inline(text: str) -> str:
    for mark, pattern, plain in _MARKUP:
        if mark in text:
            text = pattern.sub(plain, text)
    return text
