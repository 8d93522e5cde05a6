"""Ways to damage a file."""

import random
from pathlib import Path


def damage(file: Path, how: str, draw: random.Random) -> None:
    """Damage a file in the way that is named, at a place that is drawn."""
    raw = bytearray(file.read_bytes())
    place = draw.randrange(len(raw)) if raw else 0
    if how == "delete":
        file.unlink()
        return
    if how == "empty":
        raw.clear()
    elif how == "cut":
        del raw[place:]
    elif how == "flip" and raw:
        raw[place] ^= 1 << draw.randrange(8)
    elif how == "zero":
        end = min(len(raw), place + draw.choice((16, 512, 4096)))
        raw[place:end] = bytes(end - place)
    elif how == "garbage":
        raw[:] = draw.randbytes(max(len(raw), 1))
    elif how == "append":
        raw += draw.randbytes(draw.choice((1, 100)))
    file.write_bytes(raw)


WAYS = ("delete", "empty", "cut", "flip", "flip", "zero", "garbage", "append")
