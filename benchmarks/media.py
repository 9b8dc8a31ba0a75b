"""A photograph of 12 megapixels over HTTP: from the upload to the answer with previews; what others wait meanwhile."""

import asyncio
import io
import os
import time
from pathlib import Path

import aiohttp
from PIL import Image

from benchmarks.measure import Goal, cpu, show
from connectme.demo import Instance
from tests.ports import free_port

PICTURES = 8


async def measure(folder: Path) -> None:
    server = Instance(folder, free_port(), RATE_LIMITS="false")
    server.person("alice")
    token = server.tokens["alice"]
    server.start("--single-process")
    try:
        await server.ready()
        headers = {"Authorization": f"Bearer {token}"}
        photo = _photograph()
        await _upload(server, headers, photo)  # the process for pictures is there then
        walls, before, stop = [], cpu(server.pid), asyncio.Event()
        others = asyncio.create_task(_ask(server, stop))
        for _ in range(PICTURES):
            start = time.perf_counter()
            await _upload(server, headers, photo)
            walls.append(time.perf_counter() - start)
        stop.set()
        show("a 12-megapixel JPEG, upload to previews", 1000 * sorted(walls)[PICTURES // 2], "ms", Goal(700, 400))
        show("CPU of it, all processes", 1000 * (cpu(server.pid) - before) / PICTURES, "ms", Goal(700, 400))
        show("the slowest answer to others meanwhile", 1000 * await others, "ms", Goal(200, 50))
        print(f"  (load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)")
    finally:
        await server.close()
        server.stop()


def _photograph() -> bytes:
    """Noise and gradients: about as large as a photograph of that size."""
    grey, out = Image.linear_gradient("L").resize((4000, 3000)), io.BytesIO()
    noise = Image.effect_noise((4000, 3000), 20)
    Image.merge("RGB", (grey, noise, grey.rotate(180))).save(out, "JPEG", quality=88)
    return out.getvalue()


async def _upload(server: Instance, headers: dict[str, str], photo: bytes) -> None:
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(photo), filename="photo.jpg")
    async with server.session.post(server.base / "api/v2/media", data=form, headers=headers) as answer:
        if answer.status != 200:
            raise RuntimeError(await answer.text())


async def _ask(server: Instance, stop: asyncio.Event) -> float:
    """Seconds of the slowest answer."""
    slowest = 0.0
    while not stop.is_set():
        start = time.perf_counter()
        async with server.session.get(server.base / "api/v1/timelines/public") as answer:
            await answer.read()
        slowest = max(slowest, time.perf_counter() - start)
        await asyncio.sleep(0.02)
    return slowest
