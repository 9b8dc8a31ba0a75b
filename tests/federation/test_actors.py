"""Who may say what an actor is called, and which keys are his."""

import pytest

from federation.actors import fetch_actor, fetch_by_handle, fetch_key
from federation.client import Budget
from federation.errors import FederationError, Forged, Gone, Malformed, Refused
from federation.keys import multikey
from tests.inbox.far import lab_client
from tests.people import ed25519_pem, rsa_pem


@pytest.fixture
async def client():
    made = lab_client()
    yield made
    await made.close()


def budget():
    return Budget(20)


# Actors and handles.


async def test_an_actor_that_is_gone(far, client):
    far.documents["/users/bob"] = 410
    with pytest.raises(Gone):
        await fetch_actor(client, f"{far.base}/users/bob", budget())


async def test_what_is_no_actor_is_refused(far, client):
    far.note(far.person("bob"), 1)
    with pytest.raises(Malformed):
        await fetch_actor(client, f"{far.base}/notes/1", budget())


async def test_an_actor_that_calls_itself_what_another_is_called_is_refused(far, client):
    far.person("bob")
    far.documents["/users/eve"] = far.person("eve") | {"preferredUsername": "bob"}
    with pytest.raises(Forged):
        await fetch_actor(client, f"{far.base}/users/eve", budget())


async def test_an_actor_that_claims_a_name_of_another_domain_needs_that_domain_to_agree(far, other, client):
    bob = far.person("bob", webfinger=f"bob@{other.host}")
    other.person("bob")
    with pytest.raises(Forged):
        await fetch_actor(client, bob["id"], budget())
    other.names[f"bob@{other.host}"] = (f"bob@{other.host}", bob["id"])
    assert (await fetch_actor(client, bob["id"], budget())).handle == f"bob@{other.host}"


async def test_an_actor_has_the_name_that_its_host_gives_it(far, client):
    bob = far.person("bob")
    met = await fetch_actor(client, bob["id"], budget())
    assert (met.actor.id, met.handle) == (bob["id"], f"bob@{far.host}")


async def test_handles_may_end_in_another_domain_than_the_servers(far, other, client):
    bob = far.person("bob", handle=f"bob@{other.host}")
    other.names[f"bob@{other.host}"] = (f"bob@{other.host}", bob["id"])
    assert (await fetch_actor(client, bob["id"], budget())).handle == f"bob@{other.host}"
    assert (await fetch_by_handle(client, f"@bob@{other.host}", budget())).actor.id == bob["id"]


async def test_a_domain_that_does_not_agree_is_not_believed(far, other, client):
    bob = far.person("bob", handle=f"bob@{other.host}")
    other.person("bob")
    with pytest.raises(Forged):
        await fetch_by_handle(client, f"bob@{far.host}", budget())
    # Its own name on its own host is not in doubt, but the host gives it another.
    with pytest.raises(FederationError):
        await fetch_actor(client, bob["id"], budget())


async def test_a_handle_that_leads_to_an_actor_of_another_name_is_refused(far, other, client):
    """bad.test calls bob@bad.test what is bob@far.test, who never heard of it."""
    bob = far.person("bob")
    other.names[f"bob@{other.host}"] = (f"bob@{other.host}", bob["id"])
    with pytest.raises(Forged):
        await fetch_by_handle(client, f"bob@{other.host}", budget())


async def test_without_webfinger_an_actor_is_called_by_its_own_host(far, client):
    bob = far.person("bob")
    far.names.clear()
    assert (await fetch_actor(client, bob["id"], budget())).handle == f"bob@{far.host}"


async def test_a_handle_costs_two_requests(far, client):
    bob = far.person("bob")
    assert (await fetch_by_handle(client, f"bob@{far.host}", budget())).actor.id == bob["id"]
    assert sum(far.asked.values()) == 2


async def test_the_budget_ends_it(far, client):
    far.person("bob")
    with pytest.raises(Refused):
        await fetch_actor(client, f"{far.base}/users/bob", Budget(0))


# Keys.


async def test_the_key_of_an_actor(far, client):
    bob = far.person("bob")
    key, met = await fetch_key(client, f"{bob['id']}#main-key", budget())
    assert (key.id, key.owner, key.kind) == (f"{bob['id']}#main-key", bob["id"], "rsa")
    assert (met.actor.id, met.handle) == (bob["id"], f"bob@{far.host}")


async def test_a_key_with_a_document_of_its_own(far, client):
    bob = far.person("bob")
    bob["publicKey"]["id"] = f"{bob['id']}/key"
    far.documents["/users/bob/key"] = bob["publicKey"]
    assert (await fetch_key(client, f"{bob['id']}/key", budget()))[0].owner == bob["id"]


async def test_a_key_whose_document_is_the_actor_in_short(far, client):
    """GoToSocial, to those whom it does not know."""
    bob = far.person("bob")
    bob["publicKey"]["id"] = f"{bob['id']}/main-key"
    far.documents["/users/bob/main-key"] = {k: bob[k] for k in ("id", "type", "preferredUsername", "publicKey")}
    assert (await fetch_key(client, f"{bob['id']}/main-key", budget()))[0].owner == bob["id"]


async def test_a_multikey(far, client):
    bob = far.person("bob")
    public = multikey(ed25519_pem("bob")[1])
    bob["assertionMethod"] = [
        {"id": f"{bob['id']}#ed", "type": "Multikey", "controller": bob["id"], "publicKeyMultibase": public}
    ]
    assert (await fetch_key(client, f"{bob['id']}#ed", budget()))[0].kind == "ed25519"


async def test_a_key_that_its_owner_does_not_list_is_refused(far, other, client):
    bob = far.person("bob")
    eve = other.person("eve")
    forged = {"id": f"{other.base}/key", "owner": bob["id"], "publicKeyPem": rsa_pem("eve")[1]}
    other.documents["/key"] = forged
    with pytest.raises(FederationError):
        await fetch_key(client, f"{other.base}/key", budget())
    eve["publicKey"]["owner"] = bob["id"]
    with pytest.raises(Forged):
        await fetch_key(client, f"{eve['id']}#main-key", budget())


async def test_an_actor_document_of_another_host_says_nothing(far, other, client):
    """eve serves a copy of bob with her own key."""
    bob = far.person("bob")
    copy = bob | {"publicKey": {**bob["publicKey"], "id": f"{bob['id']}#other", "publicKeyPem": rsa_pem("eve")[1]}}
    other.documents["/users/bob"] = copy
    with pytest.raises(Forged):
        await fetch_key(client, f"{other.base}/users/bob#other", budget())


async def test_a_key_that_is_not_there(far, client):
    bob = far.person("bob")
    with pytest.raises(Forged):
        await fetch_key(client, f"{bob['id']}#another", budget())


async def test_a_weak_key_is_none(far, client):
    bob = far.person("bob")
    bob["publicKey"]["publicKeyPem"] = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"
    with pytest.raises(Malformed):
        await fetch_key(client, f"{bob['id']}#main-key", budget())
