"""Reads one value of a setting: from TOML it comes typed, from the environment and from flags as text.

Each reader takes either and returns the value, or raises ValueError whose text says what is wrong and
what to do about it.  Who calls it puts the name and the place in front; see settings.py.
"""

import re
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

Reader: TypeAlias = Callable[[object], Any]
Network: TypeAlias = IPv4Network | IPv6Network

TRUE, FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}
MOST_PROCESSES = 64
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/((?:\w[\w.-]*/)*\w[\w.-]*))?/?", re.ASCII)
PRIVATE_NAMES = ("localhost", "local", "test", "example", "invalid", "internal", "lan", "home.arpa", "onion")


def text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text; put it in quotes")  # noqa: TRY004  one kind for all
    if any(ord(letter) < ord(" ") and letter not in "\n\t" for letter in value):
        raise ValueError("it has control characters in it; remove them")
    return value.strip()


def switch(value: object) -> bool:
    word = str(value).strip().lower() if isinstance(value, bool | str) else ""
    if word not in TRUE | FALSE:
        raise ValueError(f"{value!r} is neither true nor false; write one of the two")
    return word in TRUE


def number(least: int, most: int) -> Reader:
    """A whole number in a range."""

    def read(value: object) -> int:
        hint = f"give one from {least} to {most}"
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError(f"{value!r} is not a whole number; {hint}")  # noqa: TRY004  one kind for all
        if isinstance(value, str) and not re.fullmatch(r"[+-]?[0-9]{1,9}", value.strip()):
            raise ValueError(f"{value!r} is not a whole number; {hint}")
        if not least <= int(value) <= most:
            raise ValueError(f"{value} is out of range; {hint}")
        return int(value)

    return read


def choice(*words: str) -> Reader:
    def read(value: object) -> str:
        word = text(value).lower()
        if word not in words:
            raise ValueError(f"{value!r} is not one of {', '.join(words)}")
        return word

    return read


def path(value: object) -> Path:
    """Relative ones start where the command runs; `~` is the home folder."""
    if isinstance(value, Path):
        return value.expanduser().absolute()
    if not text(value):
        raise ValueError("it is empty; name a file or folder, or leave it out")
    return Path(text(value)).expanduser().absolute()


def file(value: object) -> Path | None:
    """A file that can be read; None for an empty text."""
    if value == "":
        return None
    found = path(value)
    try:
        with found.open("rb"):
            return found
    except OSError as error:
        raise ValueError(f"{found} cannot be read ({error.strerror}); correct the path or its rights") from None


def languages(value: object) -> tuple[str, ...]:
    """Codes like `en` or `pt-BR`: a list, or a text with commas."""
    words = re.split(r"[,\s]+", value.strip()) if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not words:
        raise ValueError(f'{value!r} is not a list of languages; write like ["en", "de"]')
    for word in words:
        if not isinstance(word, str) or not re.fullmatch(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", word):
            raise ValueError(f"{word!r} is not the code of a language; write like en or pt-BR")
    return tuple(words)


def networks(value: object) -> tuple[Network, ...]:
    """CIDRs or addresses: a list, or a text with commas.  `loopback` and `none` are understood."""
    if isinstance(value, str):
        words: Iterable[object] = re.split(r"[,\s]+", value.strip())
    elif isinstance(value, list | tuple):
        words = value
    else:
        raise ValueError(f'{value!r} is not a list of networks; write like ["10.0.0.0/8"]')  # noqa: TRY004
    return tuple(found for word in words for found in _network(str(word).strip().lower()))


def _network(word: str) -> tuple[Network, ...]:
    if word in ("", "none"):
        return ()
    if word == "loopback":
        return LOOPBACK
    try:
        return (ip_network(word),)
    except ValueError:
        pass
    try:
        meant = ip_network(word, strict=False)
    except ValueError:
        raise ValueError(f"{word!r} is not a network; write like 10.0.0.0/8 or fd00::/8") from None
    raise ValueError(f"{word!r} has bits set beside the network; did you mean {meant}?")


LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def domain(value: object) -> str:
    """A host name, with a port where it is not the usual one: in lower case, as punycode."""
    name = text(value).lower().rstrip(".")
    if "://" in name:
        raise ValueError(f"{value!r} is an address; give the name alone: {urlsplit(name).netloc or 'example.org'}")
    if "@" in name or "/" in name:
        raise ValueError(f"{value!r} is not a host name; write like example.org")
    return _authority(name)


def base_url(value: object) -> str:
    """`https://host[:port]`, without a path; the usual port is left out.  Empty: see Settings."""
    address = text(value).rstrip("/")
    if not address:
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        raise ValueError(f"{value!r} is not an address; write like https://example.org") from None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"{value!r} is not an address; write like https://example.org")
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"{value!r} has more than scheme, host and port; ConnectMe needs a host name of its own")
    authority = _authority(parts.netloc.lower())
    usual = ":443" if parts.scheme == "https" else ":80"
    return f"{parts.scheme}://{authority.removesuffix(usual)}"


def bind(value: object) -> str:
    """`address:port` or `unix:/path`, in one form: an IP address or host name, and a number."""
    where = text(value)
    if where.startswith("unix:"):
        return f"unix:{path(where.removeprefix('unix:'))}"
    host, colon, port = where.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{where!r} is not address:port; write like 127.0.0.1:8000, or unix:/path")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError(f"{where!r} is ambiguous; an IPv6 address goes in brackets, like [::1]:8000")
    return f"{_literal(host) if host.startswith('[') else _host(host or '0.0.0.0')}:{int(port)}"  # noqa: S104


def database_url(value: object) -> str:
    """`sqlite:///file` with an absolute path, or `postgresql://…`.  Empty: see Settings."""
    url = text(value)
    hint = "write sqlite:///file or postgresql://user:password@host/name"
    if url.startswith(("postgres://", "postgresql+")):
        raise ValueError(f"{url.partition('://')[0]}:// is not known; begin with postgresql://")
    if url.startswith("sqlite:///"):
        name, mark, options = url.removeprefix("sqlite:///").partition("?")
        if not name or name == ":memory:":
            raise ValueError("a database in memory is lost with the process; name a file: sqlite:///file")
        return f"sqlite:///{path(name)}{mark}{options}"
    if url.startswith("sqlite:"):
        raise ValueError("a file is named after three slashes: sqlite:///file, sqlite:////var/lib/file")
    if url and not url.startswith("postgresql://"):
        raise ValueError(f"{url.partition(':')[0]!r} is not a database ConnectMe knows; {hint}")
    return url


def smtp_url(value: object) -> str:
    """`smtp://…` or `smtps://…` with a host; empty: none."""
    url = text(value)
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("smtp", "smtps") and parts.hostname and parts.port != 0 and not parts.path.strip("/")
    except ValueError:
        good = False
    if not good:
        raise ValueError("this is no address of a mail server; write like smtp://user:password@mail.example.org:587")
    return url


def receiver(value: object) -> str:
    """An address of the web that is told something; empty: none."""
    url = text(value)
    if url and not re.fullmatch(r"https?://[^\s/?#]+[^\s]*", url):
        raise ValueError("this is no address; write like https://hooks.example.org/abc")
    return url


def sentry_dsn(value: object) -> str:
    """What a Sentry calls a project; empty: none."""
    url = text(value)
    if url and not re.fullmatch(r"https?://\w+@[^\s/?#@]+/(?:[^\s?#]+/)?\d+", url, re.ASCII):
        raise ValueError(
            "this is no DSN; write like https://key@sentry.example.org/1, as the project's settings show it"
        )
    return url


def addresses(value: object) -> tuple[str, ...]:
    """Of mail, with commas between them or as a list; empty or `none`: nobody."""
    words = [text(one) for one in value] if isinstance(value, list) else text(value).split(",")
    found = tuple(word.strip() for word in words if word.strip() not in ("", "none"))
    for word in found:
        if not re.fullmatch(r"[^<>@\s,]+@[^<>@\s,]+", word):
            raise ValueError(f"{word!r} is no address; write like admin@example.org, second@example.org")
    return found


def folder(value: object) -> Path | None:
    """Made when it is needed; empty: see Settings."""
    return None if value is None or text(value) == "" else path(value)


def sender(value: object) -> str:
    """`Name <address>` or an address; empty: see Settings."""
    whom = text(value)
    if whom and not re.fullmatch(r"[^<>\r\n]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+", whom):
        raise ValueError(f"{whom!r} is no sender; write like Example <no-reply@example.org>")
    return whom


def host_of(authority: str) -> str:
    """The host of `host:port`, without brackets.

    >>> host_of("[::1]:8000"), host_of("example.org:443"), host_of("localhost")
    ('::1', 'example.org', 'localhost')
    """
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]


def is_local(authority: str) -> bool:
    """Is it this machine: localhost, *.localhost or a loopback address?"""
    host = host_of(authority)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(authority: str) -> bool:
    """Could the whole world know it: a global address, or a name with a dot that no lab reserves?"""
    host = host_of(authority)
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(tuple(f".{name}" for name in PRIVATE_NAMES))


def media_store(value: object) -> str:
    """`s3://bucket/prefix`.  Empty: see Settings."""
    address = text(value)
    if address and not BUCKET.fullmatch(address):
        raise ValueError(f"{value!r} is not a bucket; write like s3://bucket/prefix, or leave it out")
    return address


def backup_store(value: object) -> str:
    """`s3://bucket/prefix`, or a folder, made absolute.  Empty: see Settings."""
    place = text(value)
    if "://" in place:
        return media_store(place)
    return str(Path(place).expanduser().absolute()) if place else ""


def endpoint(value: object) -> str:
    """`https://host[:port]`, perhaps with a path."""
    address = text(value).rstrip("/")
    if address and not re.fullmatch(r"https?://[^\s/@?#]+(/[^\s@?#]*)?", address):
        raise ValueError(f"{value!r} is not the address of a store; write like https://s3.example.org")
    return address


def _authority(name: str) -> str:
    host, port = host_of(name), ""
    rest = name.removeprefix(f"[{host}]") if name.startswith("[") else name.removeprefix(host)
    if rest:
        port = rest.removeprefix(":")
        if not rest.startswith(":") or not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) > 65535:
            raise ValueError(f"{name!r}: {rest!r} is not a port; write like example.org:8443")
    shown = _literal(name) if name.startswith("[") else _host(host)
    return f"{shown}:{port}" if port else shown


def _literal(name: str) -> str:
    try:
        return f"[{IPv6Address(host_of(name))}]"
    except ValueError:
        raise ValueError(f"{name!r} has no IPv6 address in its brackets; write like [::1]:8000") from None


def _host(name: str) -> str:
    if not name.isascii():
        import idna  # noqa: PLC0415  its tables cost a start that hardly ever needs them

        try:
            name = idna.encode(name, uts46=True).decode()
        except idna.IDNAError as error:
            raise ValueError(f"{name!r} is not a host name: {error}") from None
    if len(name) > 253 or not all(map(LABEL.fullmatch, name.split("."))):
        raise ValueError(f"{name!r} is not a host name; write like example.org")
    return name
