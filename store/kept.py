"""A dict with a bound, for what is made again when it is not there."""

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Holds things up to a weight, each with its own; when that is reached the older half goes.

    For any thread: each look and each change is a single operation of a dict.  What two threads do to the weight at
    the same moment is put right when it is reached.
    """

    def __init__(self, most: int) -> None:
        """most: the weight of all, in the unit of `put`."""
        self._most = most
        self._weight = 0
        self._things: dict[K, tuple[V, int]] = {}

    def __len__(self) -> int:
        return len(self._things)

    def get(self, key: K) -> V | None:
        found = self._things.get(key)
        return None if found is None else found[0]

    def put(self, key: K, thing: V, weight: int = 1) -> None:
        replaced = self._things.pop(key, None)
        self._weight += weight - (0 if replaced is None else replaced[1])
        if self._weight > self._most:
            self._weight = weight + self._shed(min(self._most // 2, self._most - weight))
        self._things[key] = (thing, weight)

    def clear(self) -> None:
        self._things.clear()
        self._weight = 0

    def _shed(self, left: int) -> int:
        """The weight of what stays, no more than `left`."""
        stays = 0
        for key, (_, weight) in reversed(list(self._things.items())):
            left -= weight
            if left < 0:
                self._things.pop(key, None)
            else:
                stays += weight
        return stays
