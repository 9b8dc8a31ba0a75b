"""Which programs are woken by which notifications."""

import orjson
import pytest
from sqlalchemy import delete, update

from social import apps, notifications, push, pushed
from social.errors import Invalid, NotFound
from social.posts import receive
from social.push import Address, Wish
from store.ids import new_id
from store.tables import PushSubscription, blocks, jobs, push_subscriptions
from store.tables import follows as follow_table
from store.tables import notifications as table
from tests.conftest import NOW
from tests.people import follow, local, remote, stored
from tests.social.said import mention, note, private, rows

ADDRESS = Address("https://push.test/1", b"\4" * 65, b"a" * 16, standard=True)


async def token(db, account):
    def issue(tx):
        app = apps.create_app(tx, "a", str(new_id()), b"", ["https://app.test/"], "push", NOW)
        return apps.issue_token(tx, app.id, account.id, "push", str(new_id()).encode(), NOW)

    return await db.write(issue)


async def scene(db, *alerts, policy="all"):
    alice, bob = await local(db, "alice"), remote("bob")
    await stored(db, bob)
    held = await token(db, alice)
    made = await db.write(push.subscribe, held.id, alice.id, ADDRESS, Wish(alerts, policy), NOW)
    return alice, bob, held, made


async def woken(db, account, by, kind="follow", about=None):
    before = {row.id for row in await rows(db, jobs)}
    await db.write(notifications.notify, account.id, kind, by.id, about, NOW)
    return [row for row in await rows(db, jobs) if row.id not in before]


async def test_nobody_is_woken_who_did_not_ask(db, queries):
    alice, bob, *_ = await scene(db, "mention")
    anna = await local(db, "anna")
    assert await woken(db, alice, bob) == []
    queries.clear()
    assert await woken(db, anna, bob) == []
    assert not [text for text in queries if "INSERT INTO job" in text]


async def test_one_job_wakes_all_programs_of_one(db):
    alice, bob, *_ = await scene(db, "follow")
    other = await token(db, alice)
    await db.write(push.subscribe, other.id, alice.id, ADDRESS, Wish(["follow"]), NOW)
    (job,) = await woken(db, alice, bob)
    assert (job.kind, job.payload) == ("push", {"notification_id": job.id})
    assert len((await db.read(pushed.load, job.id)).programs) == 2
    assert await woken(db, alice, bob) == []


@pytest.mark.parametrize(("policy", "expected"), [("all", 4), ("followed", 1), ("follower", 1), ("none", 0)])
async def test_a_program_chooses_of_whom_it_hears(db, policy, expected):
    alice, bob, *_ = await scene(db, "follow", policy=policy)
    carl, dora, emil = remote("carl"), remote("dora"), remote("emil")
    await stored(db, carl, dora, emil)
    await db.write(follow, alice, carl)
    await db.write(follow, dora, alice)
    assert sum([len(await woken(db, alice, one)) for one in (bob, carl, dora, emil)]) == expected


async def test_one_token_has_one_subscription(db):
    alice, _, held, first = await scene(db, "follow")
    other = Address("https://push.test/2", b"\4" * 65, b"b" * 16, standard=False)
    second = await db.write(push.subscribe, held.id, alice.id, other, Wish(["poll"]), NOW)
    assert [PushSubscription(*row) for row in await rows(db, push_subscriptions)] == [second]
    assert second.id != first.id
    changed = await db.write(push.change, held.id, Wish(["update"], "followed"))
    assert (changed.endpoint, changed.alerts, changed.policy) == ("https://push.test/2", " update ", "followed")
    assert await db.read(push.find, held.id) == changed
    await db.write(push.unsubscribe, held.id)
    for unit in (push.find, lambda tx, token_id: push.change(tx, token_id, Wish([]))):
        with pytest.raises(NotFound):
            await db.write(unit, held.id)


async def test_a_policy_that_does_not_exist_is_refused(db):
    alice, _, held, _ = await scene(db)
    with pytest.raises(Invalid):
        await db.write(push.subscribe, held.id, alice.id, ADDRESS, Wish([], "everybody"), NOW)


async def revoke(db, alice, bob, held):
    await db.write(apps.revoke_app, alice.id, held.app_id, NOW)


async def block(db, alice, bob, held):
    row = {"account_id": alice.id, "target_id": bob.id, "id": 1, "uri": "b", "created_at": NOW}
    await db.write(lambda tx: tx.execute(blocks.insert(), row) and None)


async def dismiss(db, alice, bob, held):
    await db.write(notifications.clear, alice.id)


async def hide(db, alice, bob, held):
    hidden = update(table).values(filtered=True)
    await db.write(lambda tx: tx.execute(hidden) and None)


async def unsubscribe(db, alice, bob, held):
    await db.write(push.unsubscribe, held.id)


@pytest.mark.parametrize("change", [revoke, block, dismiss, hide, unsubscribe])
async def test_what_changed_before_it_was_sent_counts(db, change):
    alice, bob, held, _ = await scene(db, "follow")
    (job,) = await woken(db, alice, bob)
    assert (await db.read(pushed.load, job.id)).programs
    await change(db, alice, bob, held)
    found = await db.read(pushed.load, job.id)
    assert found is None or found.programs == []


async def test_a_post_that_may_no_longer_be_seen_is_not_pushed(db):
    alice, bob, *_ = await scene(db, "status")
    await db.write(follow, alice, bob)
    post = await db.write(receive.receive, bob, note(bob, **private(bob)), NOW)
    (job,) = await woken(db, alice, bob, "status", post.id)
    assert await db.read(pushed.load, job.id) is not None
    unfollowed = delete(follow_table)
    await db.write(lambda tx: tx.execute(unfollowed) and None)
    assert await db.read(pushed.load, job.id) is None


async def test_nothing_that_was_written_is_kept_in_a_job(db):
    alice, bob, *_ = await scene(db, "mention")
    await db.write(receive.receive, bob, note(bob, "<p>a secret</p>", mentions=(mention(alice),)), NOW)
    (job,) = await rows(db, jobs)
    assert "secret" not in str(job)


async def test_a_message_is_short_and_as_programs_know_it(db, origin):
    alice, bob, *_ = await scene(db, "mention")
    said = note(bob, f"<p>{'long &amp; ' * 100}</p>", mentions=(mention(alice),))
    await db.write(receive.receive, bob, said, NOW)
    (job,) = await rows(db, jobs)
    found = await db.read(pushed.load, job.id)
    told = orjson.loads(pushed.message(found.view, origin))
    assert list(told) == [
        "access_token",
        "preferred_locale",
        "notification_id",
        "notification_type",
        "icon",
        "title",
        "body",
    ]
    assert (told["notification_id"], told["notification_type"]) == (str(job.id), "mention")
    assert told["title"] == "bob mentioned you"
    assert told["body"].startswith("long & long")
    assert len(told["body"]) <= 140


async def test_the_key_is_made_once(db):
    assert await db.read(push.key) is None
    first = await db.write(push.keep_key, "one")
    assert first == await db.write(push.keep_key, "other") == await db.read(push.key) == "one"
