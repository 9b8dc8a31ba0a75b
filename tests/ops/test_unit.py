"""The example of a unit, as systemd itself reads it."""

import re
import shutil
import subprocess

import pytest

from tests.test_house import ROOT

EXAMPLE = ROOT / "docs/admin/examples/connectme.service"
ANALYZE = shutil.which("systemd-analyze")


def verified(tmp_path, text):
    """What systemd says of it: exit status and lines.  The command that it starts is one that is here."""
    assert "/opt/connectme/.venv/bin/connectme" in text
    unit = tmp_path / "connectme.service"
    unit.write_text(text.replace("/opt/connectme/.venv/bin/connectme", "/bin/true"))
    words = [ANALYZE, "verify", "--man=no", str(unit)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stderr


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed: apt-get install systemd")
def test_systemd_understands_every_line_of_the_unit(tmp_path):
    text = EXAMPLE.read_text()
    assert verified(tmp_path, text) == (0, "")
    assert "ProtectHom'" in verified(tmp_path, text.replace("ProtectHome", "ProtectHom"))[1]


def test_what_the_pages_name_the_unit_lets_the_server_write():
    """All else is read-only for it, and it does not start where a folder is missing that has no "-"."""
    [paths] = [line.partition("=")[2].split() for line in EXAMPLE.read_text().splitlines() if "ReadWritePaths=" in line]
    assert all(path.startswith("-") for path in paths)
    pages = {name: (ROOT / f"docs/admin/{name}.md").read_text() for name in ("backup", "install", "status")}
    for page, setting in (("backup", "backup_store"), ("status", "status_dir")):
        [named] = re.findall(rf'{setting} = "(/[^"]+)"', pages[page])
        assert f"-{named}" in paths
    assert 'data_dir = "/var/lib/connectme"' in pages["install"]
    assert "StateDirectory=connectme\n" in EXAMPLE.read_text()
