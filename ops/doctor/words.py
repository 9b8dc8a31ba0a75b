"""What each check looks at, what it says when something is wrong, and what to do then.  Light.

The remedies are read at three in the morning, by somebody who did not build this: whole commands, in their order, and
how one sees that it is well again.  `{file}` and the like are filled in; the runbook shows them as FILE.
"""

from dataclasses import dataclass
from typing import Final

from ops.findings import Finding, Severity


@dataclass(frozen=True, slots=True)
class Words:
    looks: str  # what is looked at
    wrong: str  # one line, when it is not well
    remedy: str
    fix: str = ""  # what `connectme doctor --fix` does; empty: nothing


WORDS: Final[dict[str, Words]] = {
    "identity.lost": Words(
        "the database that this data folder belongs to is there",
        "{found} is empty or missing, and a filled database was here before: that of {expected}",
        "Do not start on the empty one. Look at DATABASE_URL and DATA_DIR first (`connectme settings`): most often one"
        " of them changed, and the old value brings all back. If the database itself is lost, restore the newest"
        " backup: `connectme backup list`, then `connectme backup restore`. Only when you mean to begin anew, with"
        " nobody and nothing: `connectme db adopt`.",
    ),
    "identity.other": Words(
        "the database is the one that this data folder belongs to",
        "{found} is the database of another instance, {theirs}, and this data folder belongs to {expected}",
        "Set DATABASE_URL back to the database of {expected}, or DATA_DIR to the folder of the other instance"
        " (`connectme settings` shows both, and where each comes from). If this database is now meant to be here:"
        " `connectme db adopt`.",
    ),
    "identity.domain": Words(
        "the database was made for the domain and the address that are set",
        "this database was made for {theirs}, and {setting} says {ours}",
        "Other servers know its people by that name: set {setting} back to {theirs}, or name the right database in"
        " DATABASE_URL. Neither domain nor address can change once other servers know them.",
    ),
    "identity.keys": Words(
        "the server's own keys are those that other servers know",
        "the server's own keys in {found} are not those that were here before",
        "Somebody or something replaced them; other servers would refuse what this one signs. Restore the database:"
        " `connectme backup list`, then `connectme backup restore`. If the keys were changed on purpose:"
        " `connectme db adopt`.",
    ),
    "identity.newer": Words(
        "the database is not from a newer version",
        "the database is at migration {theirs}, and this version knows those up to {ours}",
        "Somebody went back to an older release: install the version that made it, or a newer one. To really go back,"
        " `connectme db rollback` with the newer release, before the older one is installed.",
    ),
    "identity.foreign": Words(
        "the database is ConnectMe's",
        "the database has tables in it that are not ConnectMe's",
        "Name the right database in DATABASE_URL; for a new server, name an empty one in database_url.",
    ),
}


def well(check: str, evidence: str) -> Finding:
    return Finding(check, "ok", WORDS[check].looks, evidence, "", fixable=False)


def ill(check: str, severity: Severity, evidence: str, /, **places: object) -> Finding:
    words = WORDS[check]
    says, remedy = words.wrong.format(**places), words.remedy.format(**places)
    return Finding(check, severity, says, evidence, remedy, fixable=bool(words.fix))
