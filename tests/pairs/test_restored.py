"""A server is lost with its disk, and restored elsewhere from a backup; the other one knew it all along."""

import json
import shutil
from pathlib import Path

import pytest

from connectme.demo import until
from tests.pairs.conftest import Pair
from tests.pairs.test_conversations import post

pytestmark = [pytest.mark.pairs, pytest.mark.slow]


async def test_a_server_restored_on_an_empty_folder_goes_on_with_a_peer_that_knew_the_old_one(
    fresh: Pair, tmp_path: Path
) -> None:
    one, other = fresh.one, fresh.other
    alice, bob = await fresh.friends()
    one.settings["BACKUP_STORE"] = str(tmp_path / "backups")
    await post(one, alice, "In the backup")
    await until(lambda: other.seen(bob, "In the backup"), "what is in the backup")
    name = json.loads(one.command("backup", "create", "--json"))["name"]
    late = await post(one, alice, "Later than the backup")
    await until(lambda: other.seen(bob, "Later than the backup"), "what no backup has")
    await post(other, bob, "From the other")
    await until(lambda: one.seen(alice, "From the other"), "what was said to the old one")

    await one.close()
    one.stop()
    shutil.rmtree(one.folder)
    one.folder = tmp_path / "new machine"
    one.settings["DATA_DIR"] = str(one.folder)
    into = str(tmp_path / "restored")
    one.command("backup", "restore", name, "--into", into)
    one.command("backup", "swap", into, "--yes")
    one.start()
    await one.ready()

    new = await post(one, alice, "After the restore")
    assert int(new["id"]) > int(late["id"])
    assert json.loads(one.command("delivery", "stats", "--json"))["held_since"]
    assert await other.seen(bob, "After the restore") is None
    one.command("delivery", "release")
    there = await until(lambda: other.seen(bob, "After the restore"), "the new post arrives")
    await post(other, bob, "Welcome back", in_reply_to_id=there["id"])
    await until(lambda: one.thread(alice, new["id"]), "the answer arrives")
    await until(lambda: one.seen(alice, "From the other"), "what was said between backup and restore is fetched")

    said = ["In the backup", "Later than the backup", "After the restore"]
    theirs = [one for one in await other.home(bob) if any(words in one["content"] for words in said)]
    assert [one["content"] for one in theirs] == [f"<p>{words}</p>" for words in reversed(said)]
    assert len({one["uri"] for one in theirs}) == 3
    ours = [found["content"] for found in await one.home(alice)]
    assert [ours.count(f"<p>{words}</p>") for words in ("From the other", "Later than the backup")] == [1, 0]
