"""When to try a silent host again, and when to stop."""

import random
from datetime import datetime, timedelta

FIRST = timedelta(minutes=1)
LEAST = timedelta(seconds=30)
LONGEST = timedelta(hours=12)
GIVE_UP = timedelta(days=30)  # of silence: its mail is dropped, and it starts anew with the next


def next_attempt(
    failures: int, now: datetime, retry_after: float | None = None, jitter: float | None = None
) -> datetime:
    """The earliest moment to contact a host after `failures` failures in a row.

    Somewhere in a span that doubles from 1 minute to 12 hours ("full jitter": hosts that failed together come back
    apart), 30 seconds at least.  All mail of a host waits together, so that a dead server costs one request per wait.

    failures:    1 or more.
    retry_after: seconds that the host asked for; it is not tried earlier.
    jitter:      0.0 to 1.0, the place in the span; random unless given.
    Returns:     a moment in UTC.

    >>> from datetime import UTC
    >>> next_attempt(3, datetime(2026, 1, 1, tzinfo=UTC), jitter=1).isoformat()
    '2026-01-01T00:04:00+00:00'
    >>> next_attempt(1, datetime(2026, 1, 1, tzinfo=UTC), 3600).isoformat()
    '2026-01-01T01:00:00+00:00'
    """
    span = min(FIRST * (1 << min(failures - 1, 16)), LONGEST)
    place = random.random() if jitter is None else jitter
    return now + max(span * place, LEAST, timedelta(seconds=retry_after or 0))


def given_up(failing_since: datetime, now: datetime) -> bool:
    return now - failing_since >= GIVE_UP
