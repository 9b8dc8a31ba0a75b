"""Makes the HTML of others safe to show, by an allow-list on a real HTML5 parse (security rows 45, 46, 66).

Every field that the API calls HTML passes `html`: contents, profiles, the values of profile fields.
"""

import re
from collections.abc import Callable
from html import escape, unescape
from typing import Final, NewType

import nh3

from federation.reading.inline import TAG, read_inline

Html = NewType("Html", str)
"""HTML that may be shown as it is.  Only `html`, `paragraphs` and social.text make it."""

LENGTH_LIMIT: Final = 100_000  # characters
TAGS_LIMIT: Final = 5_000  # of `<`, and of `&`: the parser's time grows with their square
TEXT_LIMIT: Final = 4_000  # what is kept, as mere text, of HTML that is out to exhaust us
_ROUNDS: Final = 4

_CLASSES: Final = {
    "a": {"mention", "hashtag", "u-url"},
    "span": {"h-card", "mention", "hashtag", "invisible", "ellipsis", "quote-inline"},
    "p": {"quote-inline"},
}
_TAGS: Final = {
    "p", "br", "span", "a", "del", "pre", "code", "em", "strong", "b", "i", "u", "ul", "ol", "li", "blockquote",
    "h1", "h2", "h3", "h4", "h5", "h6", "ruby", "rt", "rp",
}  # fmt: skip
_GONE_WITH_CONTENT: Final = {
    "script", "style", "template", "iframe", "noscript", "noembed", "noframes", "object", "embed", "applet", "xmp",
    "plaintext", "title", "textarea", "select", "button", "svg", "math", "audio", "video", "canvas",
}  # fmt: skip

# `https:settings` is a link to our own settings on a page that came over https: a host is needed.
_ADDRESS = re.compile(r"https?://[\w\[]|mailto:[^\s]", re.IGNORECASE)
_ODD_ADDRESS = re.compile(r'href="(?!https?://[\w\[]|mailto:[^\s])')


def _only_addresses(_tag: str, attribute: str, value: str) -> str | None:
    return value if attribute != "href" or _ADDRESS.match(value) else None


def _cleaner(attribute_filter: Callable[[str, str, str], str | None] | None = None) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=_TAGS,
        clean_content_tags=_GONE_WITH_CONTENT,
        attributes={"*": {"lang"}, "a": {"href"}, "ol": {"start", "reversed"}, "li": {"value"}},
        attribute_filter=attribute_filter,
        tag_attribute_values={"a": {"translate": {"no"}}, "span": {"translate": {"no"}}},
        set_tag_attribute_values={"a": {"target": "_blank"}},
        link_rel="nofollow noopener noreferrer",
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        allowed_classes=_CLASSES,
    )


_CLEANER: Final = _cleaner()
_STRICT_CLEANER: Final = _cleaner(_only_addresses)  # twice as slow, seldom needed

# Nothing but what nearly all posts are made of: no rewriting is due, and one pass is stable.
_COMMON = re.compile(r"[^<]*+(?:<(?:/?(?:p|a|span)(?=[\s>])|br\s?/?>)[^<]*+)*+\Z")

# The tags that HTML5 opens anew in every following paragraph while they are not closed.  It does so at most
# three times for equal ones, but without bound when their attributes differ: 34 KB become 43 MB.  So their
# attributes go into an element that the cleaner drops, and those that we do not keep go as a whole.
_REOPENED = re.compile(r"<(b|code|em|i|strong|u)(?=[\s/])", re.IGNORECASE)
_DROPPED = re.compile(r"<(?:big|font|nobr|small|tt)(?=[\s/>])", re.IGNORECASE)
_STRUCK = re.compile(r"<(/?)(?:s|strike)(?=[\s/>])", re.IGNORECASE)

# Blocks that we do not keep still end a line.
_BLOCK_END = re.compile(
    r"</(?:div|section|article|aside|header|footer|main|nav|figure|figcaption|details|summary|address|center"
    r"|dl|dt|dd|table|caption|tr|form|fieldset)(?=[\s/>])[^<>]{0,100}>|<hr(?=[\s/>])[^<>]{0,100}>",
    re.IGNORECASE,
)
_CELL_END = re.compile(r"</t[dh]>", re.IGNORECASE)
_MANY_BREAKS = re.compile(r"(?:<br>\s*+){3,}+")
_NEEDLESS_BREAKS = re.compile(
    r"(?:(?<=</p>)|(?<=</[uo]l>)|(?<=</pre>)|(?<=</h[1-6]>)|(?<=</blockquote>))\s*+(?:<br>\s*+)++"
)
_PRE_START = re.compile(r"(<pre(?: lang=\"[^\"<>]*\")?>)\n+")

# A picture that is a link, and has nothing else in it.
_PICTURE_LINK = re.compile(r"(<a\s[^<>]{1,4096}>)\s{0,100}<img\s([^<>]{1,4096})>\s{0,100}(?=</a>)", re.IGNORECASE)
# FEP-dc88: formulas come with their source.
_FORMULA_TEXT = re.compile(
    r"<annotation\s[^<>]{0,200}encoding=[\"'](application/x-tex|text/plain)[\"'][^<>]{0,200}>([^<>]*)</annotation>"
)
_FORMULA_ALT = re.compile(r"\salttext=(?:\"([^\"<>]*)\"|'([^'<>]*)')")

_LINE_END = re.compile(r"<br>|</(?:p|li|h[1-6]|pre|blockquote|div|tr)>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_HUGE_REFERENCE = re.compile(r"&#[xX]?[0-9A-Fa-f]{9,};?")
_PARAGRAPH_BREAK = re.compile(r"\n(?:[ \t]*\n)+")


def html(remote: str) -> Html:
    """The safe part of `remote`.  Never fails, and `html(html(x)) == html(x)`.

    What a parser would not leave alone when it reads its own output again (the ground of mutation attacks), or
    what grows beyond the limits, is kept as mere text.
    """
    source = _cut(remote)
    common = _COMMON.match(source) is not None
    safe = _parsed(source) if common else _clean_odd(source)
    for _ in range(_ROUNDS):
        if len(safe) > LENGTH_LIMIT or safe.count("<") > TAGS_LIMIT or safe.count("&") > TAGS_LIMIT:
            break
        again = safe if common else _clean(safe)
        if again == safe:
            return Html(safe)
        safe = again
    return paragraphs(plain(source)[:TEXT_LIMIT])


def plain(source: str) -> str:
    """The text of HTML, for titles, notifications and warnings: tags removed, references resolved.

    The result is text: whoever shows it escapes it.
    """
    text = _TAG.sub("", _LINE_END.sub("\n", source.replace("<br />", "<br>").replace("<br/>", "<br>")))
    return unescape(_HUGE_REFERENCE.sub("", text)).strip() if "&" in text else text.strip()


def paragraphs(text: str) -> Html:
    """Mere text as HTML: an empty line parts paragraphs."""
    blocks = (escape(block, quote=False) for block in _PARAGRAPH_BREAK.split(_encodable(text).strip()))
    lines = "".join(f"<p>{block.replace(chr(10), '<br>')}</p>" for block in blocks if block)
    return Html(_CLEANER.clean(lines))


def _encodable(text: str) -> str:
    """Without lone surrogates, which no UTF-8 can say."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _cut(source: str) -> str:
    source = _encodable(source[:LENGTH_LIMIT])
    for sign in "<&":
        if source.count(sign) > TAGS_LIMIT:
            source = sign.join(source.split(sign, TAGS_LIMIT)[:TAGS_LIMIT])
    return source


def _clean_odd(source: str) -> str:
    """Rewrites what the cleaner would spend too much on, or throw away with its meaning; then cleans.

    The rewriting works on unsafe text and promises nothing about safety: the cleaner has the last word.
    """
    source = TAG.sub(_alt, _PICTURE_LINK.sub(_named_link, _formulas(source)))
    source = _STRUCK.sub(r"<\1del", _DROPPED.sub("<wbr", _REOPENED.sub(r"<\1><wbr", source)))
    source, blocks = _BLOCK_END.subn("<br>", source)
    if not blocks:
        return _clean(source)
    safe = _clean(_CELL_END.sub(" ", source))
    safe = _NEEDLESS_BREAKS.sub("", _MANY_BREAKS.sub("<br><br>", safe)).strip()
    return safe.removesuffix("<br>").removesuffix("<br>")


def _alt(found: re.Match[str]) -> str:
    """What a picture says, where it stands for a word; elsewhere it is attached to the post."""
    picture = read_inline(found[1])
    return escape(picture.description, quote=False) if picture.word else found[0]


def _named_link(found: re.Match[str]) -> str:
    """Nobody can see or press a link with nothing in it."""
    picture = read_inline(found[2])
    name = picture.description or (picture.url or "").rstrip("/").rpartition("/")[2]
    return found[1] + escape(name, quote=False)


def _formulas(source: str) -> str:
    """Their source instead of MathML, as Mastodon shows them."""
    pieces: list[str] = []
    done = 0
    while (start := source.find("<math", done)) >= 0 and (end := source.find("</math>", start)) >= 0:
        formula = source[start:end]
        pieces += source[done:start], _formula(formula)
        done = end + len("</math>")
    return "".join([*pieces, source[done:]])


def _formula(mathml: str) -> str:
    """TeX between dollars, plain text without."""
    opening = mathml.partition(">")[0]
    told = dict(_FORMULA_TEXT.findall(mathml))
    if tex := told.get("application/x-tex"):
        dollars = "$$" if re.search(r"\sdisplay=[\"']block", opening) else "$"
        return f"{dollars}{tex.strip()}{dollars}"
    alt = _FORMULA_ALT.search(opening)
    return told.get("text/plain") or (alt[1] or alt[2] if alt else "")


def _clean(source: str) -> str:
    safe = _parsed(source)
    if "<pre" in safe:
        safe = _PRE_START.sub(r"\1", safe)  # a parser eats one line break there each time
    return safe


def _parsed(source: str) -> str:
    safe = _CLEANER.clean(source)
    return _CLEANER.clean(_STRICT_CLEANER.clean(source)) if _ODD_ADDRESS.search(safe) else safe
