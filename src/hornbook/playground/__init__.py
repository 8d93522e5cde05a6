"""A playground: type a text, and see what models make of it, side by side."""
