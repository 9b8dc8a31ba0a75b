"""One talk with one host: its letters one after the other, and what its answers mean."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final, TypeAlias

from federation.client import Answer
from federation.errors import FederationError, Unreachable
from federation.peers import Manner
from outbox.mail import Letter, Mail, Talk

log = logging.getLogger(__name__)

LONGEST: Final = 30.0  # seconds: no further letter after that, others want to be heard, too
SENDERS: Final = 4  # at the same time, where there is much to say
MUCH: Final = 8  # letters
STUCK_FOR: Final = timedelta(days=2)  # a letter that one host cannot take, while it takes others
_BUSY: Final = (408, 429, 502, 503, 504)

Send: TypeAlias = Callable[[Letter, Manner | None], Awaitable[Answer]]


class Verdict(Enum):
    ACCEPTED = auto()
    REFUSED = auto()  # final
    GONE = auto()  # the inbox is no more
    STUCK = auto()  # something about this letter or its sender; other letters may pass
    SILENT = auto()  # something about the host: leave it alone for a while


def judge(status: int) -> Verdict:
    """What a status means for a delivery.

    400 and 403 come after both signature schemes were tried (federation.client), so they are meant.  401 may be
    because they could not fetch our key just now; 500 because of this one activity.
    """
    if status in range(200, 300):
        return Verdict.ACCEPTED
    if status in (404, 410):
        return Verdict.GONE
    if status in _BUSY:
        return Verdict.SILENT
    if status == 401 or status >= 500:
        return Verdict.STUCK
    return Verdict.REFUSED if status >= 400 else Verdict.SILENT  # an inbox does not redirect


async def talk(mail: Mail, send: Send, outcome: Talk, now: datetime, ends: float | None = None) -> None:
    """Sends the letters of `mail` and notes in `outcome` what came of each, also when it is cancelled.

    The letters of one sender keep their order: after one that got stuck the rest of that sender waits.
    ends: on the clock of time.monotonic, when to stop; LONGEST from now unless given.
    """
    ends = time.monotonic() + LONGEST if ends is None else ends
    lines = _lines(mail.letters)
    if len(lines) == 1:
        await _say(lines[0], send, outcome, now, ends)
    else:
        async with asyncio.TaskGroup() as together:
            for line in lines:
                together.create_task(_say(line, send, outcome, now, ends))
    if outcome.stuck and not outcome.accepted:
        outcome.silent = True


def _lines(letters: Sequence[Letter]) -> list[Sequence[Letter]]:
    """The letters as they may be sent at the same time, each sender's in one line."""
    if len(letters) < MUCH:
        return [letters]
    by_sender: dict[int, list[Letter]] = defaultdict(list)
    for letter in letters:
        by_sender[letter.activity.sender_id].append(letter)
    lines: list[list[Letter]] = [[] for _ in range(min(SENDERS, len(by_sender)))]
    for of_sender in sorted(by_sender.values(), key=len, reverse=True):
        min(lines, key=len).extend(of_sender)
    return [*lines]


async def _say(letters: Sequence[Letter], send: Send, outcome: Talk, now: datetime, ends: float) -> None:
    closed: set[str] = set()
    for letter in letters:
        if outcome.silent or time.monotonic() > ends:
            return
        if letter.inbox in closed or letter.activity.sender_id in outcome.stuck:
            continue
        try:
            answer = await send(letter, outcome.scheme or outcome.mail.scheme)
        except FederationError as error:
            _note_error(outcome, letter, error)
            continue
        except Exception as error:  # a bug must not make us send for ever, nor lose mail
            log.exception("delivery to %s", letter.inbox)
            outcome.silent, outcome.error = True, f"{type(error).__name__} here"
            return
        if _note_answer(outcome, letter, answer, now) is Verdict.GONE:
            closed.add(letter.inbox)


def _note_error(outcome: Talk, letter: Letter, error: FederationError) -> None:
    if isinstance(error, Unreachable):
        outcome.silent, outcome.error = True, error.reason  # it stands beside the name of the host
    else:
        outcome.error = str(error)
        outcome.refused.append(letter)  # by us: the guard, the policy, or there is no key to sign with


def _note_answer(outcome: Talk, letter: Letter, answer: Answer, now: datetime) -> Verdict:
    verdict = judge(answer.status)
    if verdict is Verdict.ACCEPTED:
        outcome.accepted.append(letter)
        outcome.scheme = answer.scheme
        return verdict
    outcome.error = f"{answer.status} {answer.reason}".strip()
    if verdict is Verdict.STUCK and now - letter.activity.created_at > STUCK_FOR:
        verdict = Verdict.REFUSED
    match verdict:
        case Verdict.REFUSED:
            outcome.refused.append(letter)
        case Verdict.GONE:
            outcome.gone.append(letter)
        case Verdict.STUCK:
            outcome.stuck[letter.activity.sender_id] = outcome.error
        case _:
            outcome.silent = True
    outcome.retry_after = answer.retry_after
    return verdict
