"""Look at what `hornbook quickstart --json` says, on standard input: all three models must visibly have learned."""

import json
import sys

RIGHT, NATS = 6, 1.5
"""Of ten prompts, the BERT's right first guesses; and how far each loss is below that of word frequencies, at least.

Seven to nine are right where it was measured (docs/results.md). Another processor rounds differently, and then one or
two others are right; a BERT that learned word frequencies alone has none.
"""


def shortfalls(facts: dict) -> list[str]:
    """Name everything that was not learned."""
    right = sum(one["right"] for one in facts["asked"])
    found = []
    if right < RIGHT:
        found.append(
            f"the BERT's first guess is right on {right} of 10 prompts, and at least {RIGHT} are wanted"
        )
    for one in facts["models"]:
        if one["loss"] > one["word_frequencies"] - NATS:
            found.append(
                f"{one['name']}: its loss is {one['loss']:.2f}, and at least {NATS} below word frequencies "
                f"({one['word_frequencies']:.2f}) is wanted"
            )
        if not all(sample["output"].strip() for sample in one["wrote"]):
            found.append(f"{one['name']} wrote nothing for one of its prompts")
    return found


if __name__ == "__main__":
    sys.exit("\n".join(shortfalls(json.load(sys.stdin))) or 0)
