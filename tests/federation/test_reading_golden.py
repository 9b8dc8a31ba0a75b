"""Documents of other software come out as their senders meant them (tests/golden/)."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from federation import reading

GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("*.json"))

READERS: dict[str, Any] = {
    "note": reading.read_note,
    "vote": lambda doc: reading.read_note(doc, "https://hollo.test/@ed"),
    "actor": reading.read_actor,
    "keys": reading.read_keys,
    "activity": reading.read_activity,
    "reaction": reading.read_reaction,
    "flag": reading.read_flag,
    "move": reading.read_move,
    "collection": reading.read_collection,
}


def plain(value: Any) -> Any:
    """As JSON would have it."""
    return json.loads(msgspec.json.encode(value))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_document_is_read_as_its_sender_meant_it(path: Path) -> None:
    case = json.loads(path.read_text())
    value = READERS[case["reader"]](case["document"])
    found = plain(value)
    if isinstance(value, reading.Note):
        followers = f"{value.author}/followers"
        found["visibility"] = reading.visibility(value, followers)
        assert reading.is_vote(value) is (case["reader"] == "vote")
    if isinstance(case["expect"], list):
        assert found == case["expect"]
    else:
        assert {field: found[field] for field in case["expect"]} == case["expect"]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_bad_optional_field_costs_only_itself(path: Path) -> None:
    case = json.loads(path.read_text())
    if case["reader"] not in ("note", "actor"):
        return
    read, document = READERS[case["reader"]], case["document"]
    good, needed = read(document), {"id", "type", "attributedTo", "actor", "inbox"}
    for field in set(document) - needed:
        for wrong in (None, 7, "", "x y", [], [[]], {}, {"id": 5}, True, [None, {"type": 1}]):
            value = read({**document, field: wrong})
            changed = [f.name for f in dataclasses.fields(value) if getattr(value, f.name) != getattr(good, f.name)]
            assert len(changed) <= 4  # `tag` has four kinds of things
