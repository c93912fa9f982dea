"""The one error of this project: what is wrong, where, and what would be right."""

import difflib
from collections.abc import Iterable


class Mistake(ValueError):
    """Bad input, found at the border; the text names the thing, the place and the remedy."""


class Misfit(Mistake):
    """What is right, but too large for an engine."""


def nearest(name: object, known: Iterable[object]) -> str:
    """" (did you mean 'x'?)" for the known name closest to a misspelt one, else the list of what exists."""
    names = [str(k) for k in known]
    close = difflib.get_close_matches(str(name), names, 1, 0.6)
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f" (there is: {', '.join(names)})" if names else ""
