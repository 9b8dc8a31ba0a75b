"""The same as a feed (Atom, RFC 4287): one entry for each incident, changed by each update."""

from html import escape  # xml.sax.saxutils would bring urllib, http and TLS into the supervisor

from ops.incidents import Incident
from ops.status.board import Board

_HEAD = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<id>{base}/status</id>
<title>{title}: status</title>
<updated>{updated}</updated>
<author><name>{title}</name></author>
<link rel="alternate" type="text/html" href="{base}/status"/>
<link rel="self" type="application/atom+xml" href="{base}/status/feed.atom"/>
"""
_MOST = 25


def atom(board: Board) -> str:
    base = board.site.base_url
    listed = sorted((*board.current, *board.planned, *board.past), key=lambda one: one.updates[-1].at, reverse=True)
    newest = listed[0].updates[-1].at if listed else board.now
    head = _HEAD.format(
        base=escape(base),
        title=escape(_clean(board.site.title)),
        updated=newest.isoformat(),
    )
    return head + "".join(_entry(base, one) for one in listed[:_MOST]) + "</feed>\n"


def _entry(base: str, one: Incident) -> str:
    said = "\n\n".join(
        f"{update.at:%d %b %Y, %H:%M} UTC: {update.status.replace('_', ' ')}\n{update.says}"
        for update in reversed(one.updates)
    )
    return (
        f"<entry>\n<id>{escape(base)}/status#{one.id}</id>\n<title>{escape(_clean(one.title))}</title>\n"
        f"<published>{one.created.isoformat()}</published>\n<updated>{one.updates[-1].at.isoformat()}</updated>\n"
        f'<link rel="alternate" type="text/html" href="{escape(f"{base}/status#{one.id}")}"/>\n'
        f'<content type="text">{escape(_clean(said))}</content>\n</entry>\n'
    )


def _clean(text: str) -> str:
    """Without the letters that XML cannot have."""
    return "".join(letter for letter in text if letter >= " " or letter in "\n\t")
