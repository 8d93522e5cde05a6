"""Write stories whose words depend on one another more deeply than a small model has layers.

    python benchmarks/swaps.py FOLDER

Four characters; one has a thing, and pairs of them swap what they hold: "Tom has the ball. Sam and Tom swap. Now Sam
has the ball. ..." After each swap comes, one time in three, a sentence that tells who has it: what a reader has to
follow is between one swap and more than a dozen. Everything but that one name is chance or copied. Writes train.txt and
heldout.txt, a story a line, and prints how many bits per byte they hold for a reader who follows, and for one who
guesses among the four.
"""

import argparse
import math
import random
from pathlib import Path

NAMES = ("Tom", "Sam", "Lily", "Ben")
THINGS = ("ball", "kite", "doll", "cake", "hat", "cup", "book", "drum")
_TOLD = 1 / 3
_SWAPS = 12


def story(draw: random.Random) -> tuple[str, float, float]:
    """Tell a story: its text, the bits of what is chance in it, and those of the names that can be followed."""
    holder, thing = draw.choice(NAMES), draw.choice(THINGS)
    sentences = [f"{holder} has the {thing}."]
    chance, followed = math.log2(len(NAMES) * len(THINGS)), 0.0
    for swap in range(_SWAPS):
        pair = draw.sample(NAMES, 2)
        chance += math.log2(len(NAMES) * (len(NAMES) - 1))
        sentences.append(f"{pair[0]} and {pair[1]} swap.")
        if holder in pair:
            holder = pair[1 - pair.index(holder)]
        last = swap == _SWAPS - 1
        told = last or draw.random() < _TOLD
        if not last:
            chance -= math.log2(_TOLD if told else 1 - _TOLD)
        if told:
            sentences.append(f"Now {holder} has the {thing}.")
            followed += math.log2(len(NAMES))
    return " ".join(sentences), chance, followed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--stories", type=int, default=40_000)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", given.stories), ("heldout", 1_000)):
        draw = random.Random(part)
        told = [story(draw) for _ in range(count)]
        (given.folder / f"{part}.txt").write_text("".join(f"{text}\n" for text, _, _ in told), "utf-8")
        size, chance, followed = (
            sum(numbers) for numbers in zip(*[(len(t), c, f) for t, c, f in told], strict=True)
        )
        print(
            f"{part}: {count:,} stories, {chance / size:.4f} bits a byte followed, "
            f"{(chance + followed) / size:.4f} guessed"
        )


if __name__ == "__main__":
    main()
