"""A collection of accounts on one server, and one of the other in it (FEP-7aa9)."""

from typing import Any

import pytest

from connectme.demo import Instance, until
from tests.pairs.conftest import Pair

pytestmark = pytest.mark.pairs

HERE = "/api/v1/collections"


async def members(server: Instance, name: str, number: str) -> list[str]:
    shown = await server.api(name, "GET", f"{HERE}/{number}")
    return [item["state"] for item in shown["collection"]["items"]]


async def account(server: Instance, name: str, handle: str) -> Any:
    found = await server.api(name, "GET", "/api/v1/accounts/lookup", acct=handle)
    return found if found["feature_approval"]["current_user"] == "automatic" else None


async def shown_in(server: Instance, name: str) -> list[Any]:
    own = await server.api(name, "GET", "/api/v1/accounts/verify_credentials")
    found = await server.api(name, "GET", f"/api/v1/accounts/{own['id']}/in_collections")
    return list(found["collections"])


async def test_somebody_elsewhere_agrees_is_shown_and_takes_himself_out(pair: Pair) -> None:
    alice, bob = await pair.friends()
    carol = pair.person(pair.other, "carol")
    await pair.other.api(bob, "PATCH", "/api/v1/accounts/update_credentials", discoverable=True)
    handle = f"{bob}@{pair.other.domain}"
    known = await until(lambda: account(pair.one, alice, handle), "alice's server hears that bob may be shown")
    said: dict[str, Any] = {"name": "Friends", "description": "of mine", "account_ids": [known["id"]]}
    made = (await pair.one.api(alice, "POST", HERE, **said))["collection"]
    assert [item["state"] for item in made["items"]] == ["pending"]
    (there,) = await until(lambda: shown_in(pair.other, bob), "bob agrees by what he said")
    assert (there["name"], there["uri"], there["local"]) == ("Friends", made["uri"], False)

    async def agreed() -> bool:
        return await members(pair.one, alice, made["id"]) == ["accepted"]

    await until(agreed, "alice's server has his approval")
    news = await pair.other.api(bob, "GET", "/api/v1/notifications")
    assert [one["collection"]["id"] for one in news if one["type"] == "added_to_collection"] == [there["id"]]
    found = await pair.other.api(carol, "GET", "/api/v2/search", q=made["url"], resolve="true")
    assert [one["id"] for one in found["collections"]] == [there["id"]]
    await pair.one.api(alice, "PATCH", f"{HERE}/{made['id']}", name="Good friends")

    async def renamed() -> bool:
        return [one["name"] for one in await shown_in(pair.other, bob)] == ["Good friends"]

    await until(renamed, "bob's server hears of the new name")
    (item,) = (await pair.other.api(bob, "GET", f"{HERE}/{there['id']}"))["collection"]["items"]
    await pair.other.api(bob, "POST", f"{HERE}/{there['id']}/items/{item['id']}/revoke")

    async def gone() -> bool:
        return await members(pair.one, alice, made["id"]) == []

    await until(gone, "alice's server hears that he does not want to")
    assert await shown_in(pair.other, bob) == []
