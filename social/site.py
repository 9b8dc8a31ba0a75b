"""What the owner of this server says to people: rules, and texts about it, its privacy and its terms.

A text is HTML when it begins with a tag, else plain: an empty line parts paragraphs.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation.origin import Origin
from federation.reading.values import clean
from social import sanitise, text
from social.errors import Invalid, NotFound
from social.sanitise import Html
from store.ids import new_id
from store.rows import many, one
from store.tables import Rule, SiteText, rules, site_texts

ABOUT: Final = "about"
PRIVACY: Final = "privacy"
TERMS: Final = "terms"
NAMES: Final = (ABOUT, PRIVACY, TERMS)
LONGEST: Final = sanitise.LENGTH_LIMIT
RULE_LIMIT: Final = 300
HINT_LIMIT: Final = 2_000
MOST_RULES: Final = 100

_RULES: Select[Any] = select(rules).order_by(rules.c.position, rules.c.id)
_LAST = select(func.coalesce(func.max(rules.c.position), 0))
_ADD = insert(rules)
_CHANGE = update(rules).where(rules.c.id == bindparam("rule")).values(text=bindparam("line"), hint=bindparam("more"))
_REMOVE = delete(rules).where(rules.c.id == bindparam("rule"))
_TEXTS: Select[Any] = select(site_texts).order_by(site_texts.c.name, site_texts.c.effective)
_OF_NAME = _TEXTS.where(site_texts.c.name == bindparam("asked"))
_INSERT = insert(site_texts)
_SET = _INSERT.on_conflict_do_update(
    index_elements=["name", "effective"],
    set_={name: _INSERT.excluded[name] for name in ("source", "updated_at")},
)
_UNSET = delete(site_texts).where(site_texts.c.name == bindparam("asked"), site_texts.c.effective == bindparam("holds"))


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms that hold from a day on, and the day from which others hold instead, if that is known."""

    text: SiteText
    holds: bool
    next: str | None


def all_rules(tx: Connection) -> list[Rule]:
    return many(tx, _RULES, Rule)


def add_rule(tx: Connection, words: str, hint: str = "") -> Rule:
    """The last one of the list.  Raises: Invalid."""
    line, more = _checked(words, hint)
    if len(all_rules(tx)) >= MOST_RULES:
        raise Invalid(f"There can be {MOST_RULES} rules at most")
    rule = Rule(new_id(), (tx.scalar(_LAST) or 0) + 1, line, more)
    tx.execute(_ADD, {"id": rule.id, "position": rule.position, "text": rule.text, "hint": rule.hint})
    return rule


def change_rule(tx: Connection, rule_id: int, words: str, hint: str) -> Rule:
    """Reports that speak of it speak of what it says now.  Raises: NotFound, Invalid."""
    there, (line, more) = _rule(tx, rule_id), _checked(words, hint)
    tx.execute(_CHANGE, {"rule": there.id, "line": line, "more": more})
    return replace(there, text=line, hint=more)


def drop_rule(tx: Connection, rule_id: int) -> Rule:
    """Raises: NotFound."""
    gone = _rule(tx, rule_id)
    tx.execute(_REMOVE, {"rule": gone.id})
    return gone


def remove_rule(tx: Connection, number: int) -> Rule:
    """number: its place in the list, from 1.  Raises: NotFound."""
    there = all_rules(tx)
    if not 1 <= number <= len(there):
        raise NotFound(f"There is no rule {number}")
    tx.execute(_REMOVE, {"rule": there[number - 1].id})
    return there[number - 1]


def _rule(tx: Connection, rule_id: int) -> Rule:
    if found := next((one for one in all_rules(tx) if one.id == rule_id), None):
        return found
    raise NotFound("There is no such rule")


def _checked(words: str, hint: str) -> tuple[str, str]:
    line, more = clean(words).strip(), clean(hint).strip()
    if not line or len(line) > RULE_LIMIT or len(more) > HINT_LIMIT:
        raise Invalid(f"A rule has 1 to {RULE_LIMIT} characters, and what is said of it at most {HINT_LIMIT}")
    return line, more


def all_texts(tx: Connection) -> list[SiteText]:
    return many(tx, _TEXTS, SiteText)


def find_text(tx: Connection, name: str) -> SiteText | None:
    """About or privacy."""
    return one(tx, _OF_NAME, SiteText, asked=name)


def set_text(tx: Connection, name: str, source: str, now: datetime, effective: date | None = None) -> SiteText:
    """effective: from which day terms hold; by default from today.  Raises: Invalid."""
    if name not in NAMES:
        raise Invalid(f"A text is one of {', '.join(NAMES)}")
    if effective is not None and name != TERMS:
        raise Invalid("Only terms hold from a certain day on")
    words = text.tidy(source)
    if not words or len(words) > LONGEST:
        raise Invalid(f"A text has 1 to {LONGEST} characters")
    made = SiteText(name, (effective or now.date()).isoformat() if name == TERMS else "", words, now)
    tx.execute(
        _SET, {"name": made.name, "effective": made.effective, "source": made.source, "updated_at": made.updated_at}
    )
    return made


def unset_text(tx: Connection, name: str, effective: str = "") -> bool:
    """False: there was none."""
    return bool(tx.execute(_UNSET, {"asked": name, "holds": effective}).rowcount)


def terms(tx: Connection, now: datetime, day: str | None = None) -> Terms | None:
    """Those that hold today, or, before the first hold, the first; day: those that hold from that day on."""
    there = many(tx, _OF_NAME, SiteText, asked=TERMS)
    today = now.date().isoformat()
    running = [it for it in there if it.effective <= today]
    among = [it for it in there if it.effective == day] if day else running[-1:] or there[:1]
    if not among:
        return None
    found = among[0]
    later = [it.effective for it in there if it.effective > found.effective]
    return Terms(found, bool(running) and found == running[-1], later[0] if later else None)


def shown(source: str, origin: Origin) -> Html:
    """What a text looks like."""
    if source.lstrip().startswith("<"):
        return sanitise.html(source)
    return text.render(source, {}, origin.tag)
