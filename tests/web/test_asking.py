"""Whoever must sign, and does not or not well, is told how (RFC 9421 section 5.1)."""

from federation import answers
from tests.web.site import DOCUMENT


async def test_a_missing_signature_is_asked_for(server):
    async with server(AUTHORIZED_FETCH="true") as site:
        alice, _ = await site.person("alice")
        post = await site.posted(alice)
        for path in (f"/users/alice/posts/{post.id}", f"/@alice/{post.id}"):
            answer = await site.document(path)
            assert (answer.status, answers.takes_ed25519(answer.headers)) == (401, True)


async def test_a_wrong_signature_is_answered_with_what_is_wanted(site):
    await site.person("alice")
    answer = await site.get("/users/alice", headers={"Accept": DOCUMENT, "Signature": "?"})
    assert (answer.status, answers.takes_ed25519(answer.headers)) == (401, True)


async def test_pages_and_documents_for_all_ask_for_nothing(site):
    await site.person("alice")
    for answer in (await site.document("/users/alice"), await site.document("/users/nobody"), await site.get("/home")):
        assert "Accept-Signature" not in answer.headers
