"""The pages of a SQLite file that may be damaged, as the last commit left them: in its log (-wal), else in itself.

Both are opened for reading alone.  The format is SQLite's own: https://sqlite.org/fileformat2.html
"""

import struct
from pathlib import Path
from typing import Final, Self

MAGIC: Final = b"SQLite format 3\0"
HEAD: Final = 100  # bytes before the first page's own content
_LOG: Final = 32  # bytes of the head of the log
_FRAME: Final = 24  # and of each page in it
_LOG_MAGIC: Final = {0x377F0682: "<", 0x377F0683: ">"}  # in which order its sums read bytes


class Pages:
    """size: bytes of a page.  usable: those of them that SQLite uses.  count: how many pages there should be.

    log_whole: the log is not damaged in its midst, so all that was committed is here.
    """

    def __init__(self, file: Path, like: bytes = b"") -> None:
        """like: the head of a sound file of the same database, where this one has none.  Raises: OSError."""
        self._file = file.open("rb")
        found = self._file.read(HEAD)
        head = found if _is_head(found) else like
        (size,) = struct.unpack_from(">H", head, 16) if _is_head(head) else (4096,)
        self.size = 65536 if size == 1 else size
        self.usable = self.size - (head[20] if _is_head(head) else 0)
        self._log, in_log, self.log_whole = _logged(Path(f"{file}-wal"), self.size)
        self._there = self._file.seek(0, 2) // self.size
        first = self.page(1) or b""
        self.head = first[:HEAD] if _is_head(first) else head
        self.count = in_log or self._counted()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def page(self, number: int) -> bytes | None:
        """None: it is not there, or the disk does not give it."""
        if (kept := self._log.get(number)) is not None:
            return kept
        if number < 1:
            return None
        try:
            self._file.seek((number - 1) * self.size)
            found = self._file.read(self.size)
        except OSError:  # a sector that cannot be read: the others can
            return None
        return found if len(found) == self.size else None

    def _counted(self) -> int:
        if not _is_head(self.head):
            return self._there
        changed, said = struct.unpack_from(">I", self.head, 24)[0], struct.unpack_from(">I", self.head, 28)[0]
        believed = changed == struct.unpack_from(">I", self.head, 92)[0]
        return max(int(said) if believed and said < 1 << 32 and said // 64 <= self._there else 0, self._there)

    def free(self) -> tuple[set[int], bool]:
        """The pages that hold nothing any more, and whether those are all: what lies on them was deleted."""
        if not _is_head(self.head):
            return set(), False
        trunk, said = struct.unpack_from(">II", self.head, 32)
        found: set[int] = set()
        while trunk and trunk not in found and 1 < trunk <= self.count:
            found.add(trunk)
            page = self.page(trunk)
            if page is None:
                return found, False
            trunk, leaves = struct.unpack_from(">II", page)
            if leaves > self.usable // 4 - 2:
                return found, False
            found.update(struct.unpack_from(f">{leaves}I", page, 8))
        return found, not trunk and len(found) == said


def _is_head(found: bytes) -> bool:
    if len(found) < HEAD or found[:16] != MAGIC:
        return False
    size = int.from_bytes(found[16:18], "big")
    return size == 1 or (size >= 512 and size & (size - 1) == 0)


def _logged(log: Path, size: int) -> tuple[dict[int, bytes], int, bool]:
    """The newest committed page of each number; how many pages the database has by it, 0: it does not say; is it whole?

    As SQLite reads it after a crash: up to the first frame whose sum is wrong, and of that up to the last commit.
    """
    try:
        content = log.read_bytes()
    except FileNotFoundError:
        return {}, 0, True
    except OSError:
        return {}, 0, False
    if len(content) < _LOG:
        return {}, 0, not content
    magic, _, page_size = struct.unpack_from(">III", content)
    order = _LOG_MAGIC.get(magic)
    if order is None or page_size != size:
        return {}, 0, False
    salts, total = content[16:24], _sum(content[:24], (0, 0), order)
    if total != struct.unpack_from(">II", content, 24):
        return {}, 0, False
    found: dict[int, bytes] = {}
    since: dict[int, bytes] = {}  # the last commit
    count = 0
    for at in range(_LOG, len(content) - _FRAME - size + 1, _FRAME + size):
        number, commit = struct.unpack_from(">II", content, at)
        page = content[at + _FRAME : at + _FRAME + size]
        total = _sum(page, _sum(content[at : at + 8], total, order), order)
        if content[at + 8 : at + 16] != salts:  # of an earlier round
            break
        if total != struct.unpack_from(">II", content, at + 16):
            return found, count, False
        since[number] = page
        if commit:
            found |= since
            since, count = {}, commit
    return found, count, True


def _sum(content: bytes, before: tuple[int, int], order: str) -> tuple[int, int]:
    first, second = before
    words = struct.unpack(f"{order}{len(content) // 4}I", content)
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second
