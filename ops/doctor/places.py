"""Folders, files, their rights, and the disks they are on.  Light."""

import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ops import state
from ops.doctor.case import Case, size
from ops.doctor.words import ill, well
from ops.findings import Finding

FAR: Final = re.compile(
    r"nfs\d?|cifs|smb\w*|9p|afs|ncpfs|glusterfs|ceph|fuse\.(sshfs|s3fs|rclone|gcsfuse|glusterfs|ceph\S*)"
)
MOUNTS: Final = Path("/proc/self/mounts")
FULL, LOW = 0.02, 0.10  # shares of a disk that are free
LEAST: Final = 256 << 20  # bytes free, below which the share does not matter
LONG: Final = 1 << 30  # bytes of a write-ahead log
STALE: Final = 3600.0  # seconds after which nobody finishes a half-written file
_HALF: Final = re.compile(r"\..+\.\d+")


def data_dir(case: Case) -> Iterator[Finding]:
    folder = case.settings.data_dir
    if not folder.is_dir():
        says = "it is not a folder" if folder.exists() else "it is not there"
        yield ill("files.data_dir", "error" if folder.exists() else "warning", f"{folder}: {says}", folder=folder)
    elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield ill("files.data_dir", "error", f"{_rights(folder)}; this user is {os.geteuid()}", folder=folder)
    else:
        yield well("files.data_dir", str(folder))


def owner(case: Case) -> Iterator[Finding]:
    folder = case.settings.data_dir
    if folder.is_dir():
        others = strangers(folder)
        if others:
            evidence = ", ".join(map(_rights, others[:5])) + (" …" if len(others) > 5 else "")
            yield ill("files.owner", "error", f"{evidence}; the folder: {_rights(folder)}", folder=folder)
        else:
            yield well("files.owner", f"user {folder.stat().st_uid}")


def strangers(folder: Path) -> list[Path]:
    """Files and folders that belong to somebody else than the folder itself; not those deep in media."""
    us = folder.stat().st_uid
    near = [*folder.iterdir(), *(folder / state.FOLDER).glob("*"), *(folder / "backups").glob("*")]
    return sorted(path for path in near if path.lstat().st_uid != us)


def private(case: Case) -> Iterator[Finding]:
    open_ones = exposed(case)
    folder = case.settings.data_dir
    if open_ones:
        yield ill("files.private", "warning", ", ".join(map(_rights, open_ones)), folder=folder)
    elif folder.is_dir():
        yield well("files.private", _rights(folder))


def exposed(case: Case) -> list[Path]:
    """What others may read: the data folder, or a database outside of it."""
    folder, file = case.settings.data_dir, case.settings.sqlite_file
    found = [folder] if folder.is_dir() else []
    if file is not None and file.exists() and folder not in file.parents and file.parent.stat().st_mode & 0o007:
        found.append(file)
    return [path for path in found if path.stat().st_mode & (0o077 if path.is_dir() else 0o007)]


def half_written(case: Case) -> Iterator[Finding]:
    found = leftovers(case)
    if found:
        names = ", ".join(path.name for path in found[:5])
        yield ill("files.settled", "notice", names, number=len(found), folder=case.settings.data_dir / state.FOLDER)


def leftovers(case: Case) -> list[Path]:
    before = time.time() - STALE
    near = (case.settings.data_dir / state.FOLDER).glob(".*")
    return sorted(path for path in near if _HALF.fullmatch(path.name) and path.stat().st_mtime < before)


def rights(case: Case) -> Iterator[Finding]:
    """Of the embedded database.  The system is asked, and says no to root, too, where the disk or a flag forbids it.

    No file is opened for it: to close one would take the locks that this process may have on it by SQLite.
    """
    file = case.settings.sqlite_file
    if file is None or not file.exists():
        return
    for one in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
        if one.exists() and not os.access(one, os.R_OK | os.W_OK):
            evidence = f"{_rights(one)}; this user is {os.geteuid()}"
            yield ill("database.rights", "error", evidence, file=file, folder=file.parent)
            return
    if not os.access(file.parent, os.W_OK | os.X_OK):
        evidence = f"the folder: {_rights(file.parent)}; this user is {os.geteuid()}"
        yield ill("database.rights", "error", evidence, file=file, folder=file.parent)
    else:
        yield well("database.rights", _rights(file))


def room(case: Case) -> Iterator[Finding]:
    seen: dict[int, list[str]] = {}
    paths: dict[int, Path] = {}
    for name, path in _places(case).items():
        device = path.stat().st_dev
        seen.setdefault(device, []).append(name)
        paths.setdefault(device, path)
    for device, names in seen.items():
        yield _room(", ".join(names), paths[device], case.settings.data_dir)


def _room(what: str, path: Path, folder: Path) -> Finding:
    usage, nodes = shutil.disk_usage(path), os.statvfs(path)
    share = usage.free / max(usage.total, 1)
    files = nodes.f_favail / nodes.f_files if nodes.f_files else 1.0
    free = f"{size(usage.free)} ({share:.0%})" if files > FULL else f"{nodes.f_favail} more files"
    evidence = f"{what} on {path}: {size(usage.free)} of {size(usage.total)} free, {files:.0%} of the inodes"
    if usage.free < LEAST or files < FULL or (share < FULL and usage.free < 8 * LEAST):
        return ill("disk.room", "error", evidence, what=what, free=free, folder=folder)
    if share < LOW or files < LOW:
        return ill("disk.room", "warning", evidence, what=what, free=free, folder=folder)
    return well("disk.room", evidence)


def system(case: Case) -> Iterator[Finding]:
    mounts = _mounts()
    for name, path in _places(case).items():
        if name in ("database", "data") and mounts:
            place, kind, options = _mount_of(path, mounts)
            if FAR.fullmatch(kind):
                yield ill("disk.system", "error", f"{path} on {place}: {kind}", what=name, kind=kind, folder=path)
            if "ro" in options.split(","):
                yield ill("disk.writable", "error", f"{place}: {kind} {options}", what=name)


def log_size(case: Case) -> Iterator[Finding]:
    for file in databases(case):
        log = Path(f"{file}-wal")
        if log.exists() and log.stat().st_size > LONG:
            length = size(log.stat().st_size)
            yield ill("disk.log", "warning", f"{log}: {length}", file=log, size=length)


def databases(case: Case) -> list[Path]:
    """The files of SQLite that are there."""
    named = (case.settings.sqlite_file, case.settings.data_dir / "spool.db")
    return [file for file in named if file is not None and file.exists()]


def _places(case: Case) -> dict[str, Path]:
    """Those that are there, by what is in them."""
    folder, file = case.settings.data_dir, case.settings.sqlite_file
    named = {"data": folder, "media": folder / "media", "backups": folder / "backups", "cache": folder / "cache"}
    if file is not None:
        named["database"] = file.parent
    return {name: path for name, path in named.items() if path.is_dir()}


def _mounts() -> list[tuple[str, str, str]]:
    """(place, kind, options), where the system tells."""
    if not MOUNTS.exists():
        return []
    lines = [line.split(" ") for line in MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()]
    return [(line[1].replace("\\040", " "), line[2], line[3]) for line in lines if len(line) > 3]


def _mount_of(path: Path, mounts: list[tuple[str, str, str]]) -> tuple[str, str, str]:
    real = str(path.resolve())
    over = [one for one in mounts if real == one[0] or real.startswith(f"{one[0].rstrip('/')}/")]
    return max(reversed(over), key=lambda one: len(one[0]), default=("/", "", ""))


def _rights(path: Path) -> str:
    found = path.lstat()
    return f"{path} {stat.filemode(found.st_mode)} of user {found.st_uid}"


CHECKS: Final = (data_dir, owner, private, half_written, rights, room, system, log_size)
