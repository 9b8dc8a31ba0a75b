"""The same as one page: no scripts, no other files, so that it can be copied anywhere.  Its colours are those of
web/static/style.css.
"""

import base64
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html import escape
from typing import Final

from ops.incidents import COMPONENTS, Incident
from ops.status.board import DAYS, Board, Component

_STYLE: Final = """
:root{color-scheme:light dark;--page:#f5f4f1;--card:#fff;--line:#dedbe4;--ink:#1c1a23;--soft:#5a5666;--accent:#4338ca;
--good:#0f6b45;--good-tint:#e4f5ec;--warn:#8a5200;--warn-tint:#fdf1dc;--bad:#b3123a;--bad-tint:#fdecf0;--none:#cfccd6;
font:100%/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif}
@media(prefers-color-scheme:dark){:root{--page:#121318;--card:#1b1d25;--line:#31343f;--ink:#ecebf2;--soft:#aaa8b8;
--accent:#aab1ff;--good:#7fdcae;--good-tint:#17332a;--warn:#f3c06b;--warn-tint:#3a2d14;--bad:#ff9db0;--bad-tint:#3a1f29;
--none:#454857}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);overflow-wrap:anywhere}
main,header,footer{max-width:46rem;margin:0 auto;padding:0 1rem}
header{padding-block:1.5rem .5rem;display:flex;justify-content:space-between;align-items:baseline;gap:1rem;
flex-wrap:wrap}
h1{font-size:1.5rem;line-height:1.25;margin:0}h2{font-size:1.125rem;margin:2rem 0 .75rem}h3{font-size:1rem;margin:0}
a{color:var(--accent)}p{margin:0 0 .5rem}ul,ol{list-style:none;margin:0;padding:0}
.all{padding:1rem 1.25rem;border-radius:14px;font-size:1.2rem;font-weight:700;margin:.75rem 0 1rem;
background:var(--good-tint);color:var(--good)}
.all.minor,.all.maintenance{background:var(--warn-tint);color:var(--warn)}
.all.major,.all.critical{background:var(--bad-tint);color:var(--bad)}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1rem 1.25rem;margin:0 0 .75rem}
.parts{padding-block:.25rem}.parts>li{padding:.8rem 0}.parts>li+li{border-block-start:1px solid var(--line)}
.row{display:flex;justify-content:space-between;gap:1rem;flex-wrap:wrap}.row b{font-weight:600}
.axis{gap:.5rem;flex-wrap:nowrap}.axis small{font-size:.8rem}
.is{font-weight:600;color:var(--good)}.is.w{color:var(--warn)}.is.b{color:var(--bad)}
svg{display:block;width:100%;height:1.75rem;margin-block-start:.4rem}
.g{fill:var(--good)}.w{fill:var(--warn)}.b{fill:var(--bad)}.n{fill:var(--none)}
small,.soft,time{color:var(--soft);font-size:.875rem}
.steps{margin-block-start:.6rem}.steps li{margin-block-start:.6rem}.steps p{margin:0;white-space:pre-line}
.tag{display:inline-block;font-size:.8rem;font-weight:700;padding:.05rem .55rem;border-radius:99px;
background:var(--bad-tint);color:var(--bad)}
.tag.minor,.tag.none,.tag.maintenance{background:var(--warn-tint);color:var(--warn)}
.tag.done{background:var(--good-tint);color:var(--good)}
footer{padding-block:1.5rem 3rem;color:var(--soft);font-size:.875rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:6px}
:target{border-color:var(--accent)}
"""
_HASH: Final = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
_WORDS: Final = {
    "operational": ("", "works"),
    "under_maintenance": ("w", "is being worked on"),
    "degraded_performance": ("w", "slow or late"),
    "partial_outage": ("b", "partly down"),
    "major_outage": ("b", "down"),
}
_STAGES: Final = {
    "investigating": "Being looked into",
    "identified": "Cause found",
    "monitoring": "Mended, being watched",
    "resolved": "Resolved",
    "postmortem": "What it was",
    "scheduled": "Planned",
    "in_progress": "Going on",
    "verifying": "Being checked",
    "completed": "Done",
}
_QUIET: Final = '<h2>What was</h2><p class="soft">Nothing was reported in this time.</p>'
_GOOD, _FAIR = 0.999, 0.98  # share of a day's probes


def html(board: Board) -> str:
    title = escape(board.site.title)
    parts = "".join(_part(one, board) for one in board.components)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'">
<title>{escape(board.says)} · {title}</title>
<link rel="alternate" type="application/atom+xml" title="Status of {title}" href="/status/feed.atom">
<style>{_STYLE}</style>
</head>
<body>
<header><h1>Status of {title}</h1><a href="{escape(board.site.base_url)}/">{escape(board.site.domain)}</a></header>
<main>
<p class="all {board.indicator}" role="status">{escape(board.says)}</p>
{_section("Now", board.current)}{_section("Planned", board.planned)}
<h2>The last {DAYS} days</h2>
<ul class="card parts">{parts}</ul>
{_proof(board)}
{_section("What was", board.past[:20]) or _QUIET}
</main>
<footer><p>As of {_time(board.now)}. Seen by the server itself every ten seconds, planned work left out.
<a href="/status/feed.atom">Feed</a> · <a href="/api/v2/summary.json">JSON</a></p></footer>
</body>
</html>
"""


def _part(one: Component, board: Board) -> str:
    kind, word = _WORDS[one.status]
    uptime = one.uptime
    share = "not seen yet" if uptime is None else f"{_percent(uptime)} of the time"
    return (
        f'<li><div class="row"><b>{escape(one.name)}</b><span class="is {kind}">{word}</span></div>'
        f"{_bars(one, board, share)}"
        f'<div class="row axis"><small>{DAYS} days ago</small><small>{share}</small><small>today</small></div></li>'
    )


def _bars(one: Component, board: Board, share: str) -> str:
    """A bar for each day.  Good days and those that nobody saw are one path each; the others say what they were."""
    paths: dict[str, list[str]] = {"g": [], "n": []}
    others, words = [], []
    for place, day in enumerate(one.days):
        if day is None or day >= _GOOD:
            paths["n" if day is None else "g"].append(f"M{place * 3} 0h2v30h-2z")
            continue
        when = f"{board.first_day + timedelta(days=place):%d %b %Y}"
        says = f"{when}: {_percent(day)}"
        words.append(says)
        kind = "w" if day >= _FAIR else "b"
        others.append(f'<path class="{kind}" d="M{place * 3} 0h2v30h-2z"><title>{says}</title></path>')
    drawn = "".join(f'<path class="{kind}" d="{"".join(path)}"/>' for kind, path in paths.items() if path)
    label = escape(f"{one.name}: {share}. " + ("Not all day: " + "; ".join(words) if words else "No bad day."))
    width = DAYS * 3 - 1
    return (
        f'<svg viewBox="0 0 {width} 30" preserveAspectRatio="none" role="img" aria-label="{label}">'
        f"{drawn}{''.join(others)}</svg>"
    )


def _section(title: str, some: tuple[Incident, ...]) -> str:
    return f"<h2>{title}</h2>" + "".join(_incident(one) for one in some) if some else ""


def _incident(one: Incident) -> str:
    kind = one.impact if one.is_open else "done"
    span = f"<p>{_time(one.begins)} to {_time(one.ends)}</p>" if one.begins and one.ends else ""
    names = ", ".join(COMPONENTS[part] for part in one.components if part in COMPONENTS)
    steps = "".join(
        f"<li><p><b>{_STAGES[step.status]}.</b> {escape(step.says)}</p>{_time(step.at)}</li>"
        for step in reversed(one.updates)
    )
    return (
        f'<article class="card" id="{one.id}"><div class="row"><h3>{escape(one.title)}</h3>'
        f'<span class="tag {kind}">{_STAGES[one.status]}</span></div>{span}'
        f'{f"<small>{escape(names)}</small>" if names else ""}<ol class="steps">{steps}</ol></article>'
    )


def _proof(board: Board) -> str:
    if board.proved is None:
        return ""
    days = (board.now - board.proved).days
    when = "today" if days < 1 else "yesterday" if days == 1 else f"{days} days ago"
    return f'<p class="soft">Backups proved {when}: one was restored, started and read.</p>'


def _percent(share: float) -> str:
    """Never rounded up to what it was not.

    >>> _percent(1.0), _percent(0.99996), _percent(0.5)
    ('100 %', '99.99 %', '50.00 %')
    """
    return "100 %" if share >= 1 else f"{int(share * 10000) / 100:.2f} %"


def _time(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    return f'<time datetime="{utc:%Y-%m-%dT%H:%M:%SZ}">{utc:%d %b %Y, %H:%M} UTC</time>'
