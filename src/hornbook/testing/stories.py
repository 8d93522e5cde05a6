"""Text that a tiny model can learn from in seconds."""

from random import Random


def make_stories(count: int = 400) -> list[str]:
    """Make short stories by a seeded grammar, each of about 200 characters and none like another."""
    random = Random(0)
    names, animals = ["Lily", "Tom", "Anna", "Ben", "Mia"], ["cat", "dog", "bird", "frog", "bear"]
    things, places = ["ball", "book", "cake", "hat", "boat"], ["park", "house", "garden", "forest", "river"]
    feelings = ["happy", "sad", "tired", "brave", "proud"]
    return [
        f"Once upon a time there was a {random.choice(feelings)} {animal} called {name}. {name} went to the "
        f'{random.choice(places)} and found a {thing}. "What a nice {thing}!" said the {animal}. At the end of the '
        f"day {name} was {random.choice(feelings)} and went to the {random.choice(places)} again, number {number}."
        for number in range(count)
        for name, animal, thing in [(random.choice(names), random.choice(animals), random.choice(things))]
    ]
