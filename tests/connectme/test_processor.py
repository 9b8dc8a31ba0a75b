"""Of the processor only what is known to help is changed."""

import os

import pytest

from connectme import processor
from connectme.child import environment
from connectme.settings import Settings

ZEN_3 = "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nflags\t\t: fpu avx2 bmi2 adx\n\nprocessor\t: 1\n"


@pytest.mark.parametrize(
    "said",
    [
        "",
        "nonsense",
        ZEN_3.replace("AuthenticAMD", "GenuineIntel"),
        ZEN_3.replace("25", "23"),
        ZEN_3.replace(" avx2", ""),
        ZEN_3.replace(" adx", ""),
        ZEN_3.replace("adx", "adx avx512ifma"),
        "processor\t: 0\nFeatures\t: asimd\n",
    ],
)
def test_others_are_left_alone(tmp_path, said):
    (tmp_path / "cpuinfo").write_text(said)
    assert processor.environment(tmp_path / "cpuinfo") == {}
    assert processor.environment(tmp_path / "none") == {}


def test_on_zen_3_children_sign_without_adx_unless_the_admin_says_otherwise(tmp_path, monkeypatch):
    (tmp_path / "cpuinfo").write_text(ZEN_3)
    found = processor.environment(tmp_path / "cpuinfo")
    assert found == {processor.NAME: ":~0x80000"}
    monkeypatch.setattr(processor, "environment", lambda: found)
    settings = Settings.load(environ={"CONNECTME_CONFIG": "/dev/null"})
    monkeypatch.setenv(processor.NAME, "")  # so that it is afterwards as it was
    monkeypatch.delenv(processor.NAME)
    assert environment(settings)[processor.NAME] == ":~0x80000"
    processor.prefer()
    assert os.environ[processor.NAME] == ":~0x80000"
    monkeypatch.setenv(processor.NAME, "0")
    processor.prefer()
    assert os.environ[processor.NAME] == environment(settings)[processor.NAME] == "0"
