"""Writes docs/admin/runbook.md from the words of the doctor: `python -m ops.doctor.runbook docs/admin/runbook.md`."""

import sys
from pathlib import Path

from ops.doctor.words import PLACES, WORDS

HEAD = """# Runbook

What can be wrong with a server, how it is noticed, and what to do. `connectme doctor` looks for all of it and prints
the same texts, with names and paths filled in; **fix** says what `connectme doctor --fix` does by itself. It needs no
running server and no working database, harms neither, and writes nothing without `--fix`. This page is made from code.

First of all, always: `connectme doctor`. When it is about data: make a copy before you repair, and never repair the
only copy. Where it says to restore: `connectme backup list` shows what there is, `connectme backup restore NAME --into
FOLDER` puts it into a new place, `connectme backup swap FOLDER` puts that in the place of the data folder;
[restore](restore.md) goes through it step by step.
"""
SUBJECTS = {
    "check": "The checks themselves",
    "settings": "Settings",
    "identity": "Is it the right database?",
    "files": "The data folder",
    "disk": "Disks",
    "database": "The embedded database (SQLite)",
    "spool": "The spool: what other servers sent",
    "schema": "Tables and migrations",
    "postgresql": "PostgreSQL",
    "keys": "Keys",
    "queue": "Queues",
    "search": "Search",
    "backup": "Backups",
    "drill": "Drills",
    "repair": "After an outage",
    "integrity": "Integrity of the data",
    "network": "The network (left out with `--offline`)",
}


def text() -> str:
    parts = [HEAD]
    for subject, title in SUBJECTS.items():
        named = {name: words for name, words in WORDS.items() if name.partition(".")[0] == subject}
        if named:
            parts.append(f"## {title}\n")
        for name, words in named.items():
            fix = f"\n\n**fix:** {words.fix}." if words.fix else ""
            wrong, remedy = words.wrong.format_map(PLACES), words.remedy.format_map(PLACES)
            parts.append(f"### {name}\n\nLooked at: {words.looks}. When not: *{wrong}*\n\n{remedy}{fix}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
