"""Write stories in which words depend on one another more deeply than a small model has layers.

    python benchmarks/ring_stories.py FOLDER

Five friends stand in a ring, one of them has something, and they move: "The ball is at four. Swap. Left. Left. Now
two. ..." All step to the left or to the right, or the first two swap places. Now and then, in some stories often and in
others seldom, a sentence tells where the ball is; what a reader has to follow until then is one move or more than a
dozen. The moves generate the permutations of five points (as in `hornbook dense prove`), and everything but that one
number is chance. Writes train.txt and heldout.txt, a story a line, and prints how many bits per byte they hold for a
reader who follows, and for one who guesses among the five. questions.jsonl has questions of one to four moves.
"""

import argparse
import json
import math
import random
from pathlib import Path

PLACES = ("one", "two", "three", "four", "five")
THINGS = ("ball", "kite", "doll", "cake", "hat", "cup", "book", "drum")
MOVES = {
    "Swap.": (1, 0, 2, 3, 4),
    "Left.": (4, 0, 1, 2, 3),
    "Right.": (1, 2, 3, 4, 0),
}
_TOLD = (0.15, 0.4, 0.7)
_MOVES = 14


def story(draw: random.Random) -> tuple[str, float, float]:
    """Tell a story: its text, the bits of what is chance in it, and those of the numbers that can be followed."""
    place, thing, often = draw.randrange(len(PLACES)), draw.choice(THINGS), draw.choice(_TOLD)
    sentences = [f"The {thing} is at {PLACES[place]}."]
    chance, followed = math.log2(len(PLACES) * len(THINGS)), 0.0
    for number in range(_MOVES):
        move = draw.choice(list(MOVES))
        chance += math.log2(len(MOVES))
        sentences.append(move)
        place = MOVES[move][place]
        last = number == _MOVES - 1
        told = last or draw.random() < often
        if not last:
            chance -= math.log2(often if told else 1 - often)
        if told:
            sentences.append(f"Now {PLACES[place]}.")
            followed += math.log2(len(PLACES))
    return " ".join(sentences), chance, followed


def question(draw: random.Random) -> dict[str, str]:
    """Ask where the thing is after one to four moves."""
    place, thing = draw.randrange(len(PLACES)), draw.choice(THINGS)
    moves = draw.choices(list(MOVES), k=draw.randint(1, 4))
    asked = f"The {thing} is at {PLACES[place]}. {' '.join(moves)} Now"
    for move in moves:
        place = MOVES[move][place]
    return {"question": asked, "answer": f"{PLACES[place]}."}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--stories", type=int, default=40_000)
    parser.add_argument("--questions", type=int, default=3_000)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random("questions")
    asked = [json.dumps(question(draw)) for _ in range(given.questions)]
    (given.folder / "questions.jsonl").write_text("\n".join(asked), "utf-8")
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
