"""One picture in, one or two out: decoded, turned upright, without anything but its pixels.  Runs in a child process.

All is encoded anew from pixels, so that nothing else survives: no place where it was taken, no second file behind the
first.  Sources: security rows 61, 70, 71; docs/adr/0012.
"""

import math
from pathlib import Path
from typing import Any, Final

from PIL import ExifTags, Image, ImageOps

PIXELS: Final = 40_000_000  # of one picture, read from its header
FRAMES: Final = 1_000
MOVING_PIXELS: Final = 250_000_000  # of all frames together
SIDE: Final = 16_383  # of WebP; others could more
KEPT: Final = 4096 * 4096  # pixels: larger ones become smaller
SMALL: Final = 640 * 360  # pixels of a preview
EMOJI: Final = 256  # pixels a side
AVATAR, HEADER = (400, 400), (1500, 500)
PROFILE: Final = 8_192  # bytes of colours' meaning; more is no plain profile
HASHED: Final = 32  # pixels a side for the blurhash

_FORMATS: Final = ["JPEG", "PNG", "GIF", "WEBP", "AVIF"]
_ENDINGS: Final = {"JPEG": "jpg", "PNG": "png", "GIF": "gif", "WEBP": "webp"}
_SAVING: Final[dict[str, dict[str, Any]]] = {
    "JPEG": {"quality": 90},
    "PNG": {"compress_level": 4},
    "WEBP": {"quality": 88, "method": 1},
    "GIF": {},
}


class Refused(Exception):
    """`str` is for its owner."""


def make(source: str, folder: str, wish: str, *, films: bool = False) -> dict[str, Any]:
    """Writes into `folder` what is wished; returns what it is.

    wish:  `attachment` (whole and preview), `preview`, `avatar`, `header`, `emoji`.
    films: whether what moves may become a film: then it is only recognised.
    Raises: Refused; whatever decoders raise.
    """
    Image.MAX_IMAGE_PIXELS = None  # checked here, before any pixel is decoded
    with Image.open(source, formats=_known()) as image:
        if image.width * image.height > PIXELS or max(image.size) > SIDE:
            raise Refused(f"A picture has at most {PIXELS // 1_000_000} million pixels, {SIDE} a side")
        frames = getattr(image, "n_frames", 1)
        moves = frames > 1 and image.format in ("GIF", "PNG", "WEBP")
        if moves and (frames > FRAMES or frames * image.width * image.height > MOVING_PIXELS):
            raise Refused("This picture has too many frames")
        if moves and films and image.format == "GIF" and wish == "attachment":
            return {"moves": True}
        if wish == "attachment":
            return _whole(image, Path(folder), moves=moves)
        if wish == "emoji":
            return _emoji(image, Path(folder), moves=moves)
        if wish == "preview":
            return _preview(_plain(image), Path(folder))
        return _cropped(image, Path(folder), AVATAR if wish == "avatar" else HEADER)


def _known() -> list[str]:
    try:
        import pillow_heif  # noqa: PLC0415  an extra
    except ImportError:
        return _FORMATS
    pillow_heif.register_heif_opener()
    return [*_FORMATS, "HEIF"]


def _whole(image: Image.Image, folder: Path, *, moves: bool) -> dict[str, Any]:
    if moves:
        kind = image.format or ""
        still, size = _moving(image, folder, kind), image.size
    else:
        still = _plain(image)
        if still.width * still.height > KEPT:
            still = _within(still, KEPT)
        kind, size = _kind(image.format or "", still), still.size
        still.save(folder / f"whole.{_ENDINGS[kind]}", kind, **_SAVING[kind], **_colours(still))
    return {"ending": _ENDINGS[kind], "width": size[0], "height": size[1], **_preview(still, folder)}


def _kind(kind: str, still: Image.Image) -> str:
    """PNG for what may have sharp edges; what few programs show becomes JPEG, or WebP where one can see through it."""
    if kind in ("PNG", "GIF"):
        return "PNG"
    if kind == "WEBP" or still.mode == "RGBA":
        return "WEBP"
    return "JPEG"


def _moving(image: Image.Image, folder: Path, kind: str) -> Image.Image:
    """Every frame is decoded and encoded anew.  Returns the first."""
    first = _plain(image.copy())
    frames, durations = [], []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        durations.append(max(20, min(int(image.info.get("duration") or 100), 60_000)))
        frame = image.convert("RGBA")
        frame.info = {}
        frames.append(frame)
    options: dict[str, Any] = {"duration": durations, "loop": 0, "disposal": 2} if kind == "GIF" else {
        "duration": durations, "loop": 0}  # fmt: skip
    saving = {} if kind == "GIF" else _SAVING[kind]
    frames[0].save(
        folder / f"whole.{_ENDINGS[kind]}", kind, save_all=True, append_images=frames[1:], **options, **saving
    )
    return first


def _plain(image: Image.Image) -> Image.Image:
    """Upright, in grey, RGB or RGBA, with no information but what its colours mean.  It may be `image` itself."""
    colours = image.info.get("icc_profile")
    turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    upright = ImageOps.exif_transpose(image) if turned else image  # which copies it in any case
    see_through = upright.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in upright.info
    mode = "RGBA" if see_through else "L" if upright.mode in ("1", "L") else "RGB"
    keeps = upright.mode in (mode, "P", "LA", "1")
    if upright.mode.startswith("I;16"):
        upright = upright.point(lambda value: value / 256).convert("L")
        mode = "L"
    plain = upright if upright.mode == mode else upright.convert(mode)
    plain.load()
    plain.info = {"icc_profile": colours} if colours and keeps and len(colours) <= PROFILE else {}
    return plain


def _colours(image: Image.Image) -> dict[str, Any]:
    return {"icc_profile": image.info["icc_profile"]} if "icc_profile" in image.info else {}


def _within(image: Image.Image, most: int) -> Image.Image:
    """The same, of at most so many pixels."""
    scale = math.sqrt(most / (image.width * image.height))
    if scale >= 1:
        return image
    size = max(1, int(image.width * scale)), max(1, int(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _preview(still: Image.Image, folder: Path) -> dict[str, Any]:
    small = _within(still, SMALL)
    kind = "WEBP" if small.mode == "RGBA" else "JPEG"
    small.save(folder / f"small.{_ENDINGS[kind]}", kind, **{**_SAVING[kind], "quality": 80}, **_colours(small))
    return {
        "small": _ENDINGS[kind],
        "small_width": small.width,
        "small_height": small.height,
        "blurhash": _blurhash(small),
    }


def _emoji(image: Image.Image, folder: Path, *, moves: bool) -> dict[str, Any]:
    """Small; of one that moves, the first picture, too."""
    if image.format not in ("PNG", "GIF", "WEBP"):
        raise Refused("An emoji is a PNG, GIF or WebP")
    if moves:
        if max(image.size) > EMOJI:
            raise Refused(f"An emoji that moves has at most {EMOJI} pixels a side")
        kind = image.format
        _moving(image, folder, kind).save(folder / "small.png", "PNG")
        return {"ending": _ENDINGS[kind], "small": "png"}
    still = _plain(image)
    still.thumbnail((EMOJI, EMOJI), Image.Resampling.LANCZOS)
    kind = "WEBP" if image.format == "WEBP" else "PNG"
    still.save(folder / f"whole.{_ENDINGS[kind]}", kind, **_SAVING[kind], **_colours(still))
    return {"ending": _ENDINGS[kind], "small": None}


def _blurhash(small: Image.Image) -> str:
    import blurhash_rs  # noqa: PLC0415  not for avatars

    tiny = small.resize((HASHED, HASHED), Image.Resampling.BILINEAR)
    if tiny.mode == "RGBA":
        white = Image.new("RGBA", tiny.size, "white")
        tiny = Image.alpha_composite(white, tiny)
    found: str = blurhash_rs.encode_rgb(tiny.convert("RGB").tobytes(), HASHED, HASHED, 4, 3)
    return found


def _cropped(image: Image.Image, folder: Path, size: tuple[int, int]) -> dict[str, Any]:
    if image.format == "JPEG":
        image.draft("RGB", (size[0] * 2, size[1] * 2))
    plain = _plain(image)
    fitted = ImageOps.fit(plain, size, Image.Resampling.LANCZOS)
    fitted.info = plain.info
    kind = "PNG" if fitted.mode == "RGBA" else "JPEG"
    fitted.save(folder / f"whole.{_ENDINGS[kind]}", kind, **_SAVING[kind], **_colours(fitted))
    return {"ending": _ENDINGS[kind], "width": size[0], "height": size[1]}
