"""Another file of settings, before it takes the place of the one in use: what only the two together can tell.

All other checks are made with the new settings as they are, but for the memory of which database is the right one: that
is in the data folder in use, wherever the new ones point.
"""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from ops import belonging
from ops.doctor import case, whole
from ops.doctor.case import broken
from ops.doctor.words import ill, well
from ops.findings import Finding


class Settings(case.Settings, Protocol):
    """What is looked at beyond what the doctor does."""

    @property
    def backup_folder(self) -> Path: ...
    @property
    def backup_bucket(self) -> tuple[str, str] | None: ...
    @property
    def backup_passphrase(self) -> str: ...
    @property
    def status_dir(self) -> Path | None: ...
    @property
    def socket_path(self) -> Path | None: ...
    @property
    def address(self) -> tuple[str, int]: ...


@dataclass(frozen=True, slots=True)
class Change:
    """known: which database the data folder in use belongs to; None: none yet."""

    old: Settings
    new: Settings
    known: belonging.Identity | None


async def look(old: Settings | None, new: Settings, newest: str, now: datetime) -> list[Finding]:
    """old: those in use; None, when they cannot be read, and the new ones are looked at alone."""
    home = (old or new).data_dir
    found = await whole.look(new, newest, now, home)
    change = Change(old or new, new, belonging.recall(home))
    for check in CHECKS:
        try:
            found += check(change)
        except Exception as error:  # noqa: BLE001  whatever it is, the others go on
            found.append(broken(check, error))
    return whole.arranged(found)


def name(change: Change) -> Iterator[Finding]:
    """Known also while the database is away, or is another one."""
    if change.known is not None:
        for setting in ("domain", "base_url"):
            theirs, ours = getattr(change.known, setting), getattr(change.new, setting)
            if theirs != ours:
                yield ill(
                    "identity.domain", "error", "identity.json", theirs=theirs, ours=ours, setting=setting.upper()
                )
                return


def data_dir(change: Change) -> Iterator[Finding]:
    old, new = change.old.data_dir, change.new.data_dir
    if change.known is None or old.resolve() == new.resolve():
        return
    there = belonging.recall(new)
    if there is not None and there.instance == change.known.instance:
        yield well("settings.data_dir", f"{new} is of the same server as {old}")
    else:
        whose = f"it is that of {there.domain}" if there else "nothing in it is of this server"
        yield ill("settings.data_dir", "error", f"{new}: {whose}", folder=new, old=old)


def folders(change: Change) -> Iterator[Finding]:
    """Those that are not there are made, if what they are to be in lets them."""
    new = change.new
    named = {"DATA_DIR": None if new.data_dir.exists() else new.data_dir, "STATUS_DIR": new.status_dir}
    named["BACKUP_STORE"] = None if new.backup_bucket else new.backup_folder
    named["BIND"] = new.socket_path.parent if new.socket_path else None
    looked_at = {setting: folder for setting, folder in named.items() if folder}
    troubles = {
        name: trouble for name, folder in looked_at.items() if (trouble := _trouble(folder, made=name != "BIND"))
    }
    for setting, trouble in troubles.items():
        folder = looked_at[setting]
        yield ill(
            "settings.folders", "error", f"{folder}; this user is {os.geteuid()}",
            name=setting, folder=folder, trouble=trouble, old=change.old.data_dir,
        )  # fmt: skip
    if looked_at and not troubles:
        yield well("settings.folders", ", ".join(looked_at))


def _trouble(folder: Path, *, made: bool) -> str:
    there = next((one for one in (folder, *folder.parents) if one.exists()), Path("/")) if made else folder
    if not there.is_dir():
        return f"cannot be made: {there} is no folder" if there.exists() else "is not there"
    if os.access(there, os.W_OK | os.X_OK):
        return ""
    return "cannot be written" if there == folder else f"cannot be made, because {there} cannot be written"


def listens(change: Change) -> Iterator[Finding]:
    """Where the server listens already it is itself in the way, and is not tried."""
    bind = change.new.bind
    if bind == change.old.bind or change.new.socket_path or not change.new.web_processes:
        return
    host, port = change.new.address
    try:
        kind = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        trouble = error.strerror or str(error)
        yield ill("settings.bind", "error", f"{bind}: {trouble}", bind=bind, trouble=trouble)
    else:
        yield well("settings.bind", bind)


def files(change: Change) -> Iterator[Finding]:
    old, new = (one.media_store or f"{one.data_dir}/media" for one in (change.old, change.new))
    if change.known is not None and change.old.media_store != change.new.media_store:
        yield ill("settings.media", "warning", "MEDIA_STORE", old=old, new=new)


def passphrase(change: Change) -> Iterator[Finding]:
    if change.old.backup_passphrase not in ("", change.new.backup_passphrase):
        yield ill("settings.passphrase", "warning", "BACKUP_PASSPHRASE")


def user(change: Change) -> Iterator[Finding]:
    folder = change.old.data_dir
    whose = folder.stat().st_uid if folder.is_dir() else 0
    if os.geteuid() == 0 != whose:
        yield ill("settings.user", "warning", f"{folder} belongs to user {whose}", user=whose)


CHECKS: Final = (name, data_dir, folders, listens, files, passphrase, user)
