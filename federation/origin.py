"""Who we are: the domain of our handles, the address of our server, and the addresses made of it."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit


@dataclass(frozen=True, slots=True)
class Origin:
    """`domain` is what handles end in (`example.org`), `base_url` where the server is (`https://social.example.org`)."""

    domain: str
    base_url: str  # scheme and authority, no slash at the end

    @property
    def scheme(self) -> str:
        return urlsplit(self.base_url).scheme

    @property
    def host(self) -> str:
        """host[:port] of our addresses, lower case."""
        return urlsplit(self.base_url).netloc.lower()

    def url(self, path: str) -> str:
        return self.base_url + path

    def actor(self, username: str) -> str:
        return f"{self.base_url}/users/{username}"

    def profile(self, username: str) -> str:
        return f"{self.base_url}/@{username}"

    def tag(self, name: str) -> str:
        return f"{self.base_url}/tags/{quote(name)}"

    @property
    def shared_inbox(self) -> str:
        return f"{self.base_url}/inbox"

    @property
    def instance_actor(self) -> str:
        return f"{self.base_url}/actor"

    def is_ours(self, uri: str) -> bool:
        """Same origin: scheme, host and port."""
        return uri == self.base_url or uri.startswith(f"{self.base_url}/")

    def is_our_domain(self, domain: str) -> bool:
        """Does a handle that ends in `domain` belong to us?"""
        return domain.lower() in (self.domain.lower(), self.host)
