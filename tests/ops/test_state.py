"""Files of operations: whole, or not there."""

import os

import pytest

from ops import state


def test_what_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    file = state.folder(tmp_path) / "mode.json"
    state.write_json(file, {"mode": "normal"})

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        state.write_json(file, {"mode": "maintenance"})

    assert state.read_json(file) == {"mode": "normal"}
    assert [path.name for path in file.parent.iterdir()] == ["mode.json"]


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff\xfe"])
def test_what_is_missing_or_damaged_is_nothing(tmp_path, content):
    file = tmp_path / "mode.json"
    if content is not None:
        file.write_bytes(content)
    assert state.read_json(file) is None


def test_the_folder_is_for_the_servers_eyes_alone(tmp_path):
    assert state.folder(tmp_path).stat().st_mode & 0o077 == 0
