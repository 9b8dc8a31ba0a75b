"""What somebody wrote before anybody here had heard of him."""

import pytest

from connectme.demo import until
from tests.pairs.conftest import Pair

pytestmark = pytest.mark.pairs


async def test_a_profile_that_nobody_followed_is_filled_when_somebody_looks(pair: Pair) -> None:
    alice, bob = pair.person(pair.one, "alice"), pair.person(pair.other, "bob")
    for number in range(3):
        await pair.other.api(bob, "POST", "/api/v1/statuses", status=f"earlier {number}")
    await pair.other.api(bob, "POST", "/api/v1/statuses", status="for some alone", visibility="private")
    found = await pair.one.api(alice, "GET", "/api/v2/search", q=f"@{bob}@{pair.other.domain}", resolve="true")
    there = found["accounts"][0]["id"]

    async def all_of_it() -> bool:
        posts = await pair.one.api(alice, "GET", f"/api/v1/accounts/{there}/statuses")
        return [post["content"] for post in posts] == [f"<p>earlier {number}</p>" for number in (2, 1, 0)]

    await until(all_of_it, "the profile is filled")
    assert await pair.one.home(alice) == []
