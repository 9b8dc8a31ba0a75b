"""All of them, in the order of the document."""

from tests.outage import embedded, server
from tests.outage.fault import Fault

FAULTS: list[Fault] = [*embedded.FAULTS, *server.FAULTS]
