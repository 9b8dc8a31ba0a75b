"""Who we are: the domain of our handles, the address of our server, and the addresses made of it."""

import base64
import hashlib
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit


@dataclass(frozen=True, slots=True)
class Origin:
    """`domain` is what handles end in (`example.org`), `base_url` where the server is (`https://social.example.org`)."""

    domain: str
    base_url: str  # scheme and authority, no slash at the end
    proxy_key: bytes = field(default=b"", repr=False, compare=False)  # signs the addresses of `proxied`

    @property
    def scheme(self) -> str:
        return urlsplit(self.base_url).scheme

    @property
    def host(self) -> str:
        """host[:port] of our addresses, lower case."""
        return urlsplit(self.base_url).netloc.lower()

    def url(self, path: str) -> str:
        return self.base_url + path

    @property
    def streaming(self) -> str:
        """Where WebSockets are opened: `wss://social.example.org`."""
        return "ws" + self.base_url.removeprefix("http")

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

    def proxied(self, url: str) -> str:
        """Where our people get a file of another server: from us, so that it does not learn who looks at it.

        The address is signed: nobody can make us fetch what we did not show.  Without a key it stays as it is.
        """
        if not self.proxy_key or self.is_ours(url):
            return url
        name = base64.urlsafe_b64encode(url.encode(errors="replace")).rstrip(b"=").decode()
        return f"{self.base_url}/proxy/{self.sign(url)}/{name}"

    def sign(self, url: str) -> str:
        """Says that `url` may be fetched through us."""
        digest = hashlib.blake2b(url.encode(errors="replace"), key=self.proxy_key, digest_size=15)
        return base64.urlsafe_b64encode(digest.digest()).decode()

    def is_ours(self, uri: str) -> bool:
        """Same origin: scheme, host and port."""
        return uri == self.base_url or uri.startswith(f"{self.base_url}/")

    def is_our_domain(self, domain: str) -> bool:
        """Does a handle that ends in `domain` belong to us?"""
        return domain.lower() in (self.domain.lower(), self.host)
