"""Findings are kept in a file, for those who must not wait for new ones."""

import pytest

from ops import findings
from ops.findings import Finding
from tests.conftest import NOW

WELL = Finding("disk.data", "ok", "there is room", "12 GB free", "", fixable=False)
ILL = Finding("database.rights", "error", "it cannot be written", "connectme.db is root's", "chown …", fixable=True)


def test_what_was_kept_is_read_again(tmp_path):
    findings.keep(tmp_path, [WELL, ILL], NOW)
    assert findings.kept(tmp_path) == findings.Kept(NOW, (WELL, ILL))


@pytest.mark.parametrize("content", [None, "", "[]", '{"at": 1}', '{"at": "x", "findings": [{}]}'])
def test_a_damaged_file_is_as_none(tmp_path, content):
    if content is not None:
        (tmp_path / "state").mkdir()
        (tmp_path / "state" / "findings.json").write_text(content)
    assert findings.kept(tmp_path) is None


def test_the_worst_counts():
    assert findings.worst([]) == "ok"
    assert findings.worst([WELL, ILL]) == "error"
    assert findings.errors([WELL, ILL]) == [ILL]
