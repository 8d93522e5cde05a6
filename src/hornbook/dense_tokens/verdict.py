"""Whether dense tokens help, in figures and in a sentence."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from hornbook.dense_tokens.insert import Floats
from hornbook.dense_tokens.prove.statistics import Interval, difference

Verdict = Literal["help", "don't help", "hurt"]
PLAIN = {
    "plain": "plain text at equal compute",
    "plain, same steps": "plain text with the same steps, which more steps made no better",
}


def judge(nats: Mapping[str, Floats], name: str, unit: str) -> dict[str, Any]:
    """Compare the arm dense with the others, by nats a word, shape (seeds, texts): fewer are better.

    Dense tokens help if they are better than plain text and than pause tokens, each difference's 95 % interval below 0;
    they hurt if they are worse than plain text. Plain text is the better one of its two arms, since compute that only
    makes a model worse shall be no argument for dense tokens. `name` and `unit` are said in the sentences.
    """
    against = {arm: difference(nats["dense"], other) for arm, other in nats.items() if arm != "dense"}
    rival = min(PLAIN, key=lambda arm: float(nats[arm].mean()))
    plain, pause = against[rival], against["pause"]
    verdict: Verdict = (
        "hurt" if plain.low > 0 else "help" if plain.high < 0 and pause.high < 0 else "don't help"
    )
    beside_plain = f"{_told(plain)} {unit} against {PLAIN[rival]}{_span(plain)}"
    beside_pause = f"{_told(pause)} {unit} against pause tokens at equal compute{_span(pause)}"
    if verdict == "don't help" and plain.high < 0:  # the places alone do it
        sentences = [
            f"On {name} dense tokens help no more than pause tokens: {beside_pause}.",
            f"Both are better than no such tokens: {beside_plain}.",
        ]
    else:
        worth = "yes" if pause.high < 0 else "no" if pause.low > 0 else "it can't be told"
        sentences = [
            f"On {name} dense tokens {verdict}: {beside_plain}.",
            f"Is the vector worth its compute? {beside_pause}: {worth}.",
        ]
    if len(nats["dense"]) == 1:
        sentences.append("There is one seed: the interval knows nothing of what another seed would change.")
    return {
        "verdict": verdict,
        "sentences": sentences,
        "rival": rival,
        "against": {arm: asdict(one) for arm, one in against.items()},
    }


def _told(one: Interval) -> str:
    return f"{one.mean:+.3f}"


def _span(one: Interval) -> str:
    return f", 95 % {one.low:+.3f} to {one.high:+.3f}"
