"""What a model has learned: measures that say what they can be compared with, and what it writes."""
