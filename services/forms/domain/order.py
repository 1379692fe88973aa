"""In which order things that depend on each other are worked out, or the circle that makes it impossible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


class Circle(Exception):
    """`names`: each depends on the next, the last on the first."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(" -> ".join(names))
        self.names = tuple(names)


def arranged(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """The names so that each comes after all it needs, otherwise as given. Raises Circle."""
    done: dict[str, None] = {}
    for start in needs:
        under_way: dict[str, None] = {}
        waiting: list[tuple[str, bool]] = [(start, False)]
        # By hand instead of by recursion: a form may have a chain of two thousand sums.
        while waiting:
            name, needs_met = waiting.pop()
            if needs_met:
                del under_way[name]
                done[name] = None
            elif name in under_way:
                path = list(under_way)
                raise Circle(path[path.index(name) :])
            elif name not in done:
                under_way[name] = None
                waiting.append((name, True))
                waiting.extend((needed, False) for needed in needs[name] if needed not in done)
    return list(done)
