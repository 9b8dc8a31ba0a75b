"""The style sheet: small, and its colours can be told apart (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from itertools import pairwise

import pytest

from web.pages.frame import FOLDER

CSS = (FOLDER / "static" / "style.css").read_text(encoding="utf-8")
TEXT = [
    (ink, ground)
    for ground in ("page", "card", "raised", "tint")
    for ink in ("ink", "soft", "accent")
] + [("like", "card"), ("boost", "card"), ("bad", "card"), ("bad", "bad-tint"), ("good", "good-tint"),
     ("on-accent", "accent"), ("card", "bad")]  # fmt: skip
LINES = [("edge", "card"), ("edge", "page"), ("accent", "page")]


def _palette(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): #([0-9a-f]{6});", block))


LIGHT = _palette(CSS[: CSS.index("@media screen and (prefers-color-scheme: dark)")])
DARK = _palette(
    CSS[CSS.index("@media screen and (prefers-color-scheme: dark)") : CSS.index("@media (prefers-contrast")]
)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_measured_as_the_standard_says() -> None:
    assert contrast("ffffff", "000000") == pytest.approx(21)
    assert contrast("777777", "ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read(palette: dict[str, str], ink: str, ground: str) -> None:
    assert contrast(palette[ink], palette[ground]) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("line", "ground"), LINES)
def test_edges_of_controls_can_be_seen(palette: dict[str, str], line: str, ground: str) -> None:
    assert contrast(palette[line], palette[ground]) >= 3


def test_letters_on_the_colours_of_people_can_be_read() -> None:
    hues = re.findall(r"\.hue\d \{ background: #([0-9a-f]{6}); color: #fff; \}", CSS)
    assert len(hues) == 6
    assert all(contrast(hue, "ffffff") >= 4.5 for hue in hues)


def test_both_palettes_have_the_same_colours() -> None:
    assert LIGHT.keys() == DARK.keys()


def test_the_sheet_is_small_and_asks_nobody_for_anything() -> None:
    assert len(CSS.encode()) < 30_000
    assert "url(" not in CSS
    assert "@import" not in CSS
    assert all(one != other for one, other in pairwise(CSS.splitlines()) if one)
