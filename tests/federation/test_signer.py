import asyncio
import threading

import pytest

from federation.errors import Malformed
from federation.signer import AT_ONCE, Signer


def where() -> dict[str, str]:
    return {"thread": threading.current_thread().name}


def refuse() -> dict[str, str]:
    raise Malformed("url", "x")


@pytest.fixture
async def signer():
    made = Signer(2)
    yield made
    made.close()


async def test_one_that_is_wanted_alone_is_made_in_the_loop(signer):
    assert [await signer.sign(where) for _ in range(3)] == [where()] * 3


async def test_many_are_made_in_threads_and_each_comes_to_who_wanted_it(signer):
    number = 3 * AT_ONCE + 1
    made = await asyncio.gather(*(signer.sign(lambda n=n: {**where(), "n": str(n)}) for n in range(number)))
    assert [one["n"] for one in made] == [str(n) for n in range(number)]
    assert where()["thread"] not in {one["thread"] for one in made}


async def test_with_one_processor_there_are_no_threads():
    signer = Signer(0)
    assert await asyncio.gather(signer.sign(where), signer.sign(where)) == [where()] * 2


async def test_a_refusal_is_raised_where_it_was_wanted_and_hurts_nobody_else(signer):
    first, second, third = await asyncio.gather(
        signer.sign(where), signer.sign(refuse), signer.sign(where), return_exceptions=True
    )
    assert isinstance(second, Malformed)
    assert "thread" in first
    assert "thread" in third
    with pytest.raises(Malformed):
        await signer.sign(refuse)


async def test_who_does_not_wait_any_more_hurts_nobody(signer):
    tasks = [asyncio.create_task(signer.sign(where)) for _ in range(2 * AT_ONCE)]
    for _ in range(2):  # they have asked; threads are at it
        await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert all("thread" in one for one in found[1::2])
    assert all(isinstance(one, asyncio.CancelledError) for one in found[::2])


async def test_after_it_was_closed_all_are_made_in_the_loop(signer):
    waiting = [asyncio.create_task(signer.sign(where)) for _ in range(4 * AT_ONCE)]
    for _ in range(2):
        await asyncio.sleep(0)
    signer.close()
    assert all("thread" in one for one in await asyncio.gather(*waiting))
    assert await asyncio.gather(signer.sign(where), signer.sign(where)) == [where()] * 2
