"""Hornbook's speed beside that of what people use instead: `python -m benchmarks.speed`, see benchmarks/README.md."""
