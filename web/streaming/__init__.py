"""Streams: what happens, while it happens, over WebSocket or server-sent events.

    routes.py       the doors
    channels.py     which streams there are, and who may open them
    connections.py  one open connection: bytes out, and how it ends
    hub.py          who listens to what; turns events into bytes, once for all who get the same

Source: https://docs.joinmastodon.org/methods/streaming/
"""
