"""All of them, in the order of the document."""

from tests.outage import changes, embedded, server
from tests.outage.fault import Fault

FAULTS: list[Fault] = [
    *embedded.FAULTS,
    *changes.faults("SQLite"),
    *server.FAULTS,
    *changes.faults("PostgreSQL"),
]
