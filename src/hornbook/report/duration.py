"""How long something took, in words."""


def duration(seconds: float) -> str:
    """Format seconds as `42 s`, `1 min 38 s` or `3 h 12 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
