"""A client that talks with servers on loopback."""

from collections.abc import AsyncIterator

import pytest

from federation.client import Client
from tests.conftest import NOW
from tests.federation.talking import LAB


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    made = Client(guard=LAB, user_agent="test", clock=NOW.timestamp)
    yield made
    await made.close()
