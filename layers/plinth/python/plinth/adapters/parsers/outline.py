"""Under which headings a place in a document stands, as a reader meets them one after the other."""


class Outline:
    """The headings that are open: one of a level closes those of its own and of deeper levels."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    def enter(self, level: int, heading: str) -> tuple[str, ...]:
        """Return the path of what follows the heading; one without words only closes others."""
        self._open = [each for each in self._open if each[0] < level]
        if heading:
            self._open.append((level, heading))
        return tuple(text for _, text in self._open)
