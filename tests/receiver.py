"""A program that is woken by Web Push, and the push service in between: an implementation of its own, as witness."""

import asyncio
import os
from typing import Any

import jwt
import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from federation.webpush import CURVE, Recipient, base64url, point, unbase64


class Program:
    """Its keys."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(CURVE)
        self.auth = os.urandom(16)

    @property
    def public(self) -> bytes:
        return point(self.private.public_key())

    @property
    def p256dh(self) -> str:
        return base64url(self.public)

    @property
    def secret(self) -> str:
        return base64url(self.auth)

    def recipient(self, *, standard: bool) -> Recipient:
        return Recipient(self.public, self.auth, standard)


def opened(program: Program, headers: Any, body: bytes) -> bytes:
    """What a sealed message says.  Raises: InvalidTag."""
    if headers["Content-Encoding"] == "aes128gcm":
        return _rfc_8291(program, body)
    assert headers["Content-Encoding"] == "aesgcm"
    salt = unbase64(headers["Encryption"].removeprefix("salt="))
    keys = dict(part.split("=", 1) for part in headers["Crypto-Key"].split(";"))
    return _draft(program, body, salt, unbase64(keys["dh"]))


def _rfc_8291(program: Program, body: bytes) -> bytes:
    salt, length = body[:16], body[20]
    sender = body[21 : 21 + length]
    shared = program.private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender))
    secret = _hkdf(program.auth, shared, b"WebPush: info\0" + program.public + sender, 32)
    key, nonce = (
        _hkdf(salt, secret, b"Content-Encoding: " + what + b"\0", size)
        for what, size in ((b"aes128gcm", 16), (b"nonce", 12))
    )
    text = AESGCM(key).decrypt(nonce, body[21 + length :], None).rstrip(b"\0")
    assert text.endswith(b"\2")
    return text[:-1]


def _draft(program: Program, body: bytes, salt: bytes, sender: bytes) -> bytes:
    shared = program.private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender))
    secret = _hkdf(program.auth, shared, b"Content-Encoding: auth\0", 32)
    about = b"P-256\0" + b"".join(len(key).to_bytes(2) + key for key in (program.public, sender))
    key, nonce = (
        _hkdf(salt, secret, b"Content-Encoding: " + what + b"\0" + about, size)
        for what, size in ((b"aesgcm", 16), (b"nonce", 12))
    )
    text = AESGCM(key).decrypt(nonce, body, None)
    return text[2 + int.from_bytes(text[:2]) :]


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


class PushService:
    """Takes pushes, checks who sends, and keeps what they say.  `status`: of its answers."""

    def __init__(self, vapid: str) -> None:
        self.programs: dict[str, Program] = {}
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[Any] = []
        self.asked = 0
        self.status = 201
        self.arrived = asyncio.Event()
        self._vapid = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, unbase64(vapid))
        app = web.Application()
        app.router.add_post("/send/{name}", self._take)
        self._server = TestServer(app, host="127.0.0.1")

    async def __aenter__(self) -> "PushService":
        await self._server.start_server()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._server.close()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    def endpoint(self, name: str) -> str:
        self.programs.setdefault(name, Program())
        return f"{self.base}/send/{name}"

    async def _take(self, request: web.Request) -> web.Response:
        self.asked += 1
        said = request.headers["Authorization"]
        proof = said.partition("t=")[2].partition(",")[0] if said.startswith("vapid ") else said.partition(" ")[2]
        jwt.decode(proof, self._vapid, ["ES256"], audience=self.base, options={"verify_exp": False})
        if self.status == 201:
            name = request.match_info["name"]
            message = opened(self.programs[name], request.headers, await request.read())
            self.got.append((name, orjson.loads(message)))
            self.headers.append(request.headers)
        self.arrived.set()
        return web.Response(status=self.status)
