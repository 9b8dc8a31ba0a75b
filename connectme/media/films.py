"""Films and sounds, by ffprobe and ffmpeg where they are installed: known forms are copied, others are converted.

No shell, no network, no other file than the one: ffmpeg may read nothing but files, in these forms alone (a playlist
would name others), within limits of time, memory and size.
"""

import asyncio
import json
import logging
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from connectme.media import limits
from social.errors import Invalid
from social.media.kinds import FILM_FRAMES, FILM_PIXELS

log = logging.getLogger(__name__)

LONGEST: Final = 90.0  # seconds that converting may take
MEGABYTES: Final = 3_072
_FORMS: Final = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,gif,mp3,ogg,flac,wav,aac"
_ONLY: Final = ("-protocol_whitelist", "file", "-format_whitelist", _FORMS)
_BARE: Final = ("-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn", "-fflags", "+bitexact")
_MP4: Final = ("-movflags", "+faststart", "-f", "mp4")
_H264: Final = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p")
_EVEN: Final = ("-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2")
_SOUNDS: Final = {"mp3": ("mp3", "mp3"), "aac": ("m4a", "ipod"), "opus": ("ogg", "ogg"), "vorbis": ("ogg", "ogg")}
NO_FILMS: Final = "Films and sounds cannot be uploaded here: this server has no ffmpeg"
_BROKEN: Final = "This file cannot be read as a film or a sound"


@cache
def found() -> bool:
    """Are both programs here?"""
    return shutil.which("ffmpeg") is not None and shutil.which("ffprobe") is not None


@dataclass(frozen=True, slots=True)
class Facts:
    """`video` and `audio`: names of codecs; "" where there is none."""

    video: str
    audio: str
    pixels: str
    width: int
    height: int
    duration: float
    frame_rate: float
    bitrate: int


async def probe(file: Path) -> Facts:
    """Raises: Invalid."""
    command = ("-v", "error", *_ONLY, "-show_format", "-show_streams", "-of", "json", str(file))
    said = json.loads(await _run("ffprobe", command, file.parent, 20.0) or b"{}")
    streams = [one for one in said.get("streams", ()) if isinstance(one, dict)]
    pictures = [one for one in streams if one.get("codec_type") == "video" and not _is_cover(one)]
    sounds = [one for one in streams if one.get("codec_type") == "audio"]
    if not pictures and not sounds:
        raise Invalid(_BROKEN)
    film, sound = (pictures or [{}])[0], (sounds or [{}])[0]
    width, height = int(film.get("width") or 0), int(film.get("height") or 0)
    if any(abs(int(side.get("rotation") or 0)) % 180 == 90 for side in film.get("side_data_list", ())):
        width, height = height, width
    form = said.get("format", {})
    return Facts(
        video=str(film.get("codec_name") or ""),
        audio=str(sound.get("codec_name") or ""),
        pixels=str(film.get("pix_fmt") or ""),
        width=width,
        height=height,
        duration=_number(form.get("duration") or film.get("duration")),
        frame_rate=_rate(film.get("avg_frame_rate")),
        bitrate=int(_number(form.get("bit_rate"))),
    )


async def convert(file: Path, into: Path, facts: Facts, *, silent: bool = False) -> Path:
    """The film or sound in a form that browsers play, without metadata.  silent: it was a moving picture."""
    if not facts.video:
        ending, form = _SOUNDS.get(facts.audio, ("mp3", "mp3"))
        codec = ("-c:a", "copy" if facts.audio in _SOUNDS else "libmp3lame")
        target = into / f"whole.{ending}"
        await _ffmpeg(file, ("-map", "0:a:0", "-vn", *codec, *_BARE, "-f", form, str(target)), into)
        return target
    if facts.width * facts.height > FILM_PIXELS or not facts.width or facts.frame_rate > FILM_FRAMES:
        raise Invalid(f"A film has at most {FILM_PIXELS} pixels a frame and {FILM_FRAMES} frames per second")
    how: tuple[str, ...]
    if facts.video in ("vp8", "vp9", "av1") and facts.audio in ("", "opus", "vorbis"):
        target, how = into / "whole.webm", ("-c", "copy", "-f", "webm")
    elif facts.video == "h264" and facts.pixels == "yuv420p":
        sound = ("-c:a", "copy") if facts.audio in ("aac", "mp3") else ("-c:a", "aac", "-b:a", "160k")
        target, how = into / "whole.mp4", ("-c:v", "copy", *sound, *_MP4)
    else:
        target, how = into / "whole.mp4", (*_H264, *_EVEN, "-c:a", "aac", "-b:a", "160k", *_MP4)
    sounds = () if silent else ("-map", "0:a:0?")
    await _ffmpeg(file, ("-map", "0:v:0", *sounds, *_BARE, *how, str(target)), into)
    return target


async def still(film: Path, into: Path) -> Path:
    """Its first frame."""
    target = into / "frame.png"
    await _ffmpeg(film, ("-map", "0:v:0", "-frames:v", "1", "-f", "image2", "-update", "1", str(target)), into)
    return target


async def _ffmpeg(file: Path, how: tuple[str, ...], folder: Path) -> None:
    common = ("-nostdin", "-hide_banner", "-loglevel", "error", "-y", *_ONLY, "-i", str(file))
    await _run("ffmpeg", (*common, *how), folder, LONGEST)


async def _run(program: str, arguments: tuple[str, ...], folder: Path, seconds: float) -> bytes:
    """What it prints.  Raises: Invalid, when it fails or takes too long."""
    place = shutil.which(program)
    if place is None:
        raise Invalid(NO_FILMS)
    limited = (sys.executable, "-I", limits.__file__, str(int(seconds) * 4), str(MEGABYTES), place)
    child = await asyncio.create_subprocess_exec(
        *limited,
        *arguments,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(seconds):
            said, complaints = await child.communicate()
    except TimeoutError:
        raise Invalid("This film takes too long to convert; send H.264 and AAC in MP4", why=program) from None
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode != 0:
        raise Invalid(_BROKEN, why=f"{program}: {complaints[-300:].decode(errors='replace')}")
    return said


def _is_cover(stream: dict[str, Any]) -> bool:
    return bool(stream.get("disposition", {}).get("attached_pic"))


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 0.0


def _rate(value: object) -> float:
    above, _, below = str(value or "0").partition("/")
    return _number(above) / (_number(below or 1) or 1.0)
