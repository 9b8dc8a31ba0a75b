"""Whoever is refused for his signature is told which ones are taken here; our own deliveries understand that."""

import orjson

from federation import answers
from tests.inbox.letters import TYPE, create
from tests.people import remote


async def test_only_a_refused_signature_is_answered_with_what_is_wanted(door):
    headers = {"Host": "ours.test", "Content-Type": TYPE}
    for body, status in ((orjson.dumps(create(remote("bob"))), 401), (b"[]", 400)):
        async with door.http.post("/inbox", headers=headers, data=body) as answer:
            assert (answer.status, answers.takes_ed25519(answer.headers)) == (status, status == 401)
