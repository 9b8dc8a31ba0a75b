"""The mode of the server: a file, two voices, and the stricter one holds."""

import os

import pytest

from ops import modes, outages
from ops.modes import Board, Mode


def person(name, message=""):
    return Mode(name, 1.0, message, by="person")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"person": {"name": "wide open"}}', b'{"person": 3}', b"\xff"])
def test_a_damaged_file_closes_nothing(tmp_path, content):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "mode.json").write_bytes(content)
    assert modes.read(tmp_path).is_normal
    assert Board(tmp_path).is_open


def test_the_stricter_of_the_two_holds_and_each_takes_back_only_his_own(tmp_path):
    assert modes.say(tmp_path, person("read-only", "Moving.")).name == "read-only"
    assert modes.say(tmp_path, Mode("emergency", 2.0, reason="gone")).by == "server"
    assert modes.say(tmp_path, Mode("normal")).message == "Moving."
    modes.say(tmp_path, Mode("emergency", 3.0, reason="gone"))
    assert modes.say(tmp_path, person("normal")).name == "emergency"
    assert modes.say(tmp_path, Mode("normal")).is_normal


def test_a_board_sees_what_a_command_said_and_costs_a_stat(tmp_path):
    board = Board(tmp_path)
    assert board.is_open
    modes.say(tmp_path, person("maintenance", "Back at two."))
    assert board.look().is_shut
    assert not board.is_open
    assert "Back at two." in board.words
    (tmp_path / "state" / "mode.json").unlink()
    assert board.look().is_normal


def test_what_this_process_finds_counts_without_the_file(tmp_path):
    board = Board(tmp_path)
    since = board.found("emergency", "gone").since
    assert board.found("emergency", "still gone").since == since
    assert not (tmp_path / "state").exists()
    assert board.found("normal").is_normal


def test_people_read_the_newest_word_of_an_incident_that_lasts(tmp_path):
    board = Board(tmp_path)
    board.found("read-only")
    modes.state.write_json(
        modes.state.folder(tmp_path) / "incidents.json",
        {"incidents": [
            {"title": "Slow", "updates": [{"status": "resolved", "says": "done"}]},
            {"title": "A full disk", "updates": [{"status": "identified", "says": "We make room."}]},
            {"title": "A draft", "draft": True, "updates": [{"status": "investigating", "says": "x"}]},
        ]},
    )  # fmt: skip
    assert board.words.endswith("A full disk: We make room.")


def test_windows_of_outages_begin_and_end_with_the_mode(tmp_path):
    normal, gone, readonly = Mode(), Mode("emergency", 10.0, reason="gone"), Mode("read-only", 20.0)
    outages.note(tmp_path, normal, gone, 10.0)
    outages.note(tmp_path, gone, readonly, 20.0)
    outages.note(tmp_path, readonly, normal, 30.0)
    found = [(one.mode, one.since, one.until) for one in outages.all_of(tmp_path)]
    assert found == [("emergency", 10.0, 20.0), ("read-only", 20.0, 30.0)]


def test_a_file_that_may_not_be_read_says_nothing(tmp_path):
    (tmp_path / "state").mkdir()
    os.symlink(tmp_path / "state" / "mode.json", tmp_path / "state" / "mode.json")  # leads to itself
    assert modes.read(tmp_path).is_normal
