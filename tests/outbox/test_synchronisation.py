from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from outbox import enqueue, mail, synchronisation
from outbox.synchronisation import Difference, Local, Sync
from store.tables import activities
from tests.conftest import NOW
from tests.outbox.rows import ALICE, LATER, add, far, hello
from tests.people import follow, ours, remote

EXAMPLE = "c33f48cd341ef046a206b8a72ec97af65079f9a3a9b90eef79c5920dce45c61f"  # FEP-8fcf
GOOD = (
    'collectionId="https://example.org/users/1/followers", '
    'url="https://example.org/users/1/followers_synchronization", '
    f'digest="{EXAMPLE}"'
)


def test_what_is_no_such_header_is_passed_over():
    for text in (
        "",
        "x",
        GOOD.replace("digest", "digits"),
        GOOD.replace(EXAMPLE, EXAMPLE[1:]),
        GOOD.replace(EXAMPLE, "z" * 64),
        GOOD.replace('url="https://example.org/users/1/followers_synchronization"', 'url=""'),
        f'{GOOD}, digest="{EXAMPLE}"',
        GOOD + '"',
        GOOD + ", x",
        GOOD + " " * 5000,
    ):
        assert synchronisation.parse(text) is None


@given(st.text())
def test_any_text_is_understood_or_passed_over(text):
    assert synchronisation.parse(text) is None or isinstance(synchronisation.parse(text), Sync)


def test_the_header_of_the_proposal_is_understood():
    expected = Sync(
        "https://example.org/users/1/followers", "https://example.org/users/1/followers_synchronization", EXAMPLE
    )
    assert synchronisation.parse(GOOD) == expected
    assert synchronisation.parse(GOOD.replace(EXAMPLE, EXAMPLE.upper())) == expected


def test_the_digest_of_the_proposal_in_any_order():
    one, two = "https://testing.example.org/users/1", "https://testing.example.org/users/2"
    assert synchronisation.xor_digest([one, two]) == synchronisation.xor_digest([two, one]) == EXAMPLE
    assert synchronisation.xor_digest([one]).startswith("3a06e995")
    assert synchronisation.xor_digest([]) == "0" * 64


def test_our_header_is_one_that_we_understand():
    text = synchronisation.header(ALICE, EXAMPLE)
    assert synchronisation.parse(text) == Sync(
        f"{ALICE.uri}/followers", f"{ALICE.uri}/followers_synchronization", EXAMPLE
    )


async def test_a_host_is_told_of_its_own_people_alone(db):
    here, asked, gone, other = far(1), far(2), far(3, deleted_at=NOW), far(4, "sub.far.test")

    def prepare(tx):
        add(tx, ALICE, here, asked, gone, other)
        for person in (here, gone, other):
            follow(tx, person, ALICE)
        follow(tx, asked, ALICE, accepted=False)

    await db.write(prepare)
    assert await db.read(synchronisation.partial, ALICE.id, "far.test") == [here.uri]
    assert await db.read(synchronisation.digest, ALICE.id, "far.test") == synchronisation.xor_digest([here.uri])
    assert await db.read(synchronisation.digests, ALICE.id, ["sub.far.test", "x.test"]) == {
        "sub.far.test": synchronisation.xor_digest([other.uri]),
        "x.test": "0" * 64,
    }


async def test_only_mail_for_followers_says_who_they_are(db):
    people = [far(1, "a.test"), far(2, "b.test")]

    def prepare(tx):
        add(tx, ALICE, *people)
        for person in people:
            follow(tx, person, ALICE)
        enqueue.to_followers(tx, ALICE, hello(number=1), synchronise=True, now=NOW)
        enqueue.to_followers(tx, ALICE, hello(number=2), now=NOW)
        return list(tx.scalars(select(activities.c.id).order_by(activities.c.id)))

    first, _ = await db.write(prepare)
    found = {one.host: one.letters for one in await db.write(mail.claim, LATER, 9)}
    for person in people:
        with_header, without = found[person.host]
        assert with_header.activity.id == first
        assert synchronisation.parse(with_header.synchronisation).digest == synchronisation.xor_digest([person.uri])
        assert without.synchronisation == ""


async def test_differences_with_a_remote_list_are_found(db):
    bob, carol, dora = ours("bob"), ours("carol"), ours("dora")
    star = remote("star")

    def prepare(tx):
        add(tx, ALICE, bob, carol, dora, star)
        follow(tx, ALICE, star)
        follow(tx, bob, star)
        follow(tx, carol, star, accepted=False)
        follow(tx, dora, star, accepted=False)

    await db.write(prepare)
    assert await db.read(synchronisation.local_digest, star.id) == synchronisation.xor_digest([ALICE.uri, bob.uri])
    known = await db.read(synchronisation.local_followers, star.id)
    stranger = "https://ours.test/users/erin"
    assert synchronisation.compare(known, [ALICE.uri, carol.uri, stranger]) == Difference(
        gone=(bob.id,), accepted=(carol.id,), unknown=(stranger,)
    )
    assert synchronisation.compare([Local(1, "a", True)], ["a"]) == Difference((), (), ())
