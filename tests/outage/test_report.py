"""The table of faults is written into a document without touching the rest of it."""

from pathlib import Path

from tests.outage import report
from tests.outage.fault import Fault
from tests.outage.faults import FAULTS
from tests.outage.replaying import Result
from tests.outage.traffic import Count

DOCUMENT = Path(__file__).parents[2] / "docs/reliability.md"


def test_the_document_has_every_fault():
    assert report.named(DOCUMENT) == [(fault.name, fault.engine) for fault in FAULTS], "make drill"


def test_a_table_is_written_in_place_of_the_one_before(tmp_path):
    document = tmp_path / "reliability.md"
    document.write_text(f"# Before\n\n{report.BEGIN}another table\n{report.END}\nAfter\n")
    fault = Fault("It is gone", "SQLite", None, ("emergency",), "identity.lost", None)
    older = Fault("It was there before", "SQLite", None, ("emergency",), "identity.lost", None)
    report.write(document, [Result(older)], [older, fault])
    report.write(document, [Result(fault, {"emergency": 2.1, "status page": 9.0}, 8, Count(40, ["a"]), 3.0)],
                 [fault, older])  # fmt: skip
    assert report.named(document) == [("It is gone", "SQLite"), ("It was there before", "SQLite")]
    text = document.read_text()
    assert text.startswith("# Before\n")
    assert text.endswith(f"{report.END}\nAfter\n")
    assert "emergency (2 s); doctor: identity.lost | 8 | 1 of 40 | 0 | 3.0 s |" in text
    assert "another table" not in text
