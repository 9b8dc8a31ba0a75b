"""Rules: opened after a while, told once, told again, closed with a word.  Time is an argument."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops import alerts
from ops.alerts import REPEAT, RULES, Rule, judge

RULE = Rule("full", "share", 0.10, "{} left", "make room", clear=0.2, below=True, lasts=20, impact="major")


def watch(values, rules=(RULE,), state=None, step=10.0, begin=0.0, quiet=()):
    """The events of looks at these values, one every `step` seconds: [(moment, rule, event)]."""
    state, told = state or {}, []
    for place, seen in enumerate(values):
        now = begin + place * step
        named = seen if isinstance(seen, dict) else {} if seen is None else {"share": seen}
        state, notices = judge(state, named, now, quiet=now in quiet, rules=rules)
        told += [(now, one.rule, one.event) for one in notices]
    return state, told


def test_what_passes_by_itself_is_told_to_nobody():
    assert watch([0.05, 0.05, 0.5, 0.05, 0.5])[1] == []


def test_it_opens_after_its_time_and_closes_after_as_long_beyond_the_other_limit():
    _, told = watch([0.05] * 4 + [0.15] * 5 + [0.5] * 4)  # 0.15 is between the limits
    assert told == [(20.0, "full", "opened"), (110.0, "full", "resolved")]


def test_what_swings_around_the_limit_is_told_once():
    _, told = watch([0.05] * 3 + [0.11, 0.09] * 20)
    assert told == [(20.0, "full", "opened")]


def test_a_value_that_is_missing_changes_nothing():
    state, told = watch([0.05] * 3 + [None] * 5)
    assert (alerts.is_open(state), len(told)) == (["full"], 1)


def test_what_stays_open_is_told_again_after_hours():
    state, _ = watch([0.05] * 3)
    _, told = watch([0.05, 0.05], state=state, begin=20 + REPEAT.total_seconds())
    assert told == [(20 + REPEAT.total_seconds(), "full", "still open")]


def test_a_window_is_quiet_and_what_is_open_at_its_end_is_told_then():
    _, told = watch([0.05] * 6, quiet={20.0, 30.0, 40.0})
    assert told == [(50.0, "full", "opened")]


def test_what_is_loud_is_told_in_a_window_too():
    loud = replace(RULE, loud=True)
    _, told = watch(
        [0.05] * 4 + [0.5] * 3, rules=(RULE, replace(loud, id="stopped")), quiet={10.0 * n for n in range(9)}
    )
    assert told == [(20.0, "stopped", "opened"), (60.0, "stopped", "resolved")]


def test_what_was_told_and_ends_in_a_window_is_told_after_it():
    quiet = {float(n) for n in range(30, 80, 10)}
    _, told = watch([0.05] * 3 + [0.5] * 6, quiet=quiet)
    assert told == [(20.0, "full", "opened"), (80.0, "full", "resolved")]


def test_what_follows_from_another_alert_is_not_told():
    under = Rule("errors", "errors", 0.5, "{}", "", lasts=0, under="full")
    rules = (RULE, under)
    looks = [{"share": 0.05, "errors": 0.0}] * 3 + [{"share": 0.05, "errors": 1.0}] * 3
    assert watch(looks, rules)[1] == [(20.0, "full", "opened")]


def test_what_opens_in_one_look_is_one_message():
    notices = judge({}, {"restarts": 5, "other": 1}, 0.0, rules=(*[r for r in RULES if r.id == "restarts"],
        Rule("b", "other", 0, "b is wrong", "mend b", lasts=0)))[1]  # fmt: skip
    subject, body = alerts.text(notices, "ours.test")
    assert subject == "[ours.test] a process ended and was started again, 5 times in ten minutes (and 1 more)"
    assert "OPENED b: b is wrong" in body
    assert "mend b" in body


def test_components_are_as_bad_as_the_worst_alert_says():
    state = {name: alerts.Alert(0, 0, opened=1) for name in ("database-read-only", "errors")}
    state["web-down"] = alerts.Alert(0, 0)  # not open yet
    found = alerts.components(state)
    assert (found["api"], found["web"], found.get("email")) == ("partial_outage", "degraded_performance", None)


def test_the_state_survives_a_restart(tmp_path):
    state, _ = watch([0.05] * 3)
    alerts.save(tmp_path, {"disk-low": state["full"]}, [{"to": ["webhook"]}])
    assert alerts.load(tmp_path) == {"disk-low": state["full"]}
    assert alerts.unsent(tmp_path) == [{"to": ["webhook"]}]


@pytest.mark.parametrize(
    "damaged",
    ["", "[]", "{", '{"alerts": []}', '{"alerts": {"disk-low": {"since": "x", "value": 1}}, "unsent": 3}',
     '{"alerts": {"disk-low": null, "nothing-known": {"since": 1, "value": 1}}}'],
)  # fmt: skip
def test_a_damaged_state_begins_anew(tmp_path, damaged):
    (tmp_path / "alerts.json").write_text(damaged)
    assert (alerts.load(tmp_path), alerts.unsent(tmp_path)) == ({}, [])


def test_every_rule_names_itself_and_a_remedy():
    assert len({rule.id for rule in RULES}) == len(RULES)
    for place, rule in enumerate(RULES):
        assert rule.remedy
        assert rule.line(12.0)
        assert rule.lasts <= 50 or rule.id == "disk-filling", "from fault to alert in under a minute"
        assert not rule.under or rule.under in [before.id for before in RULES[:place]]


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=200))
def test_nothing_is_resolved_that_was_not_told_and_nothing_opened_twice(values):
    state, told = watch(values)
    events = [event for _, _, event in told]
    assert all(event == ("opened" if place % 2 == 0 else "resolved") for place, event in enumerate(events))
    json.dumps({name: alert.since for name, alert in state.items()})
