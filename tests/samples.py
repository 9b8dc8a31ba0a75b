"""Files to upload: honest ones, and those that lie."""

import io
import random
import shutil
import struct
import subprocess
import zlib
from functools import cache

import pytest
from PIL import Image

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None, reason="ffmpeg is not installed"
)
SECRET = b"53.5511N 9.9937E"  # what must not be told to anybody


@cache
def drawn(width: int = 160, height: int = 120, mode: str = "RGB") -> Image.Image:
    """Blobs of colour, the same each time; red in the upper left corner."""
    image = Image.new(mode, (width, height), (20, 90, 160, 255)[: len(mode)])
    chance = random.Random(1)
    for _ in range(12):
        x, y = chance.randrange(width), chance.randrange(height)
        image.paste(tuple(chance.randrange(255) for _ in mode), (x, y, x + width // 4, y + height // 4))
    image.paste((255, 0, 0, 255)[: len(mode)], (0, 0, width // 4, height // 4))
    return image


@cache
def picture(kind: str = "JPEG", width: int = 160, height: int = 120, mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    drawn(width, height, mode).save(out, kind)
    return out.getvalue()


@cache
def told_too_much(kind: str = "JPEG") -> bytes:
    """A picture with EXIF (turned by 90°), a comment and something behind its end."""
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # Orientation: the camera was held upright
    exif[0x010E] = SECRET.decode()
    more = {"comment": SECRET} if kind == "JPEG" else {}
    drawn().save(out, kind, exif=exif, **more)
    return out.getvalue() + b"<script>" + SECRET + b"</script>"


def animated(kind: str, frames: int = 3) -> bytes:
    out = io.BytesIO()
    rest = [drawn().rotate(30 * number) for number in range(1, frames)]
    drawn().save(out, kind, save_all=True, append_images=rest, duration=100, loop=0)
    return out.getvalue()


def png_bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises that many pixels, and whose few bytes keep the promise."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer, number = zlib.compressobj(9, wbits=-15), min(height, 2_000)
    row = packer.compress(bytes(1 + width * 3)) + packer.flush(zlib.Z_FULL_FLUSH)  # which nothing before it changes
    checked = struct.pack(">HH", number * (1 + width * 3) % 65_521, 1)  # Adler-32 of so many zeros
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = b"\x78\xda" + number * row + packer.flush() + checked
    body = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@cache
def film(ending: str = "mp4", seconds: float = 0.4, *more: str) -> bytes:
    """Made by ffmpeg, with a title that says too much."""
    sources = ["-f", "lavfi", "-i", f"testsrc=d={seconds}:s=96x64:r=10", "-f", "lavfi", "-i", f"sine=d={seconds}"]
    forms = {"mp4": "mp4", "webm": "webm", "mkv": "matroska", "mp3": "mp3", "wav": "wav", "ogg": "ogg"}
    only = [] if ending in ("mp4", "webm", "mkv") else ["-vn"]
    command = ["ffmpeg", "-v", "error", *sources, *only, "-metadata", f"title={SECRET.decode()}", *more]
    file = f"/dev/shm/connectme-test-{random.getrandbits(64)}.{ending}"  # MP4 needs a file that it can go back in
    try:
        subprocess.run([*command, "-f", forms[ending], file], check=True)
        with open(file, "rb") as made:
            return made.read()
    finally:
        subprocess.run(["rm", "-f", file], check=True)


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
PLAYLIST = b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
