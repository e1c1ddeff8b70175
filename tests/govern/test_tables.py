"""The tables have the ids that the frameworks have, and promise nothing."""

from __future__ import annotations

from collections import Counter

import pytest

from skiff.cli.govern import QUESTIONS as OPTIONS
from skiff.core.errors import SkiffError
from skiff.core.evidence import GENESIS, EvidenceRecord, build_record
from skiff.flows.govern import FRAMEWORKS, load_framework
from skiff.govern.facts import TELL, find_latest, tell_fact
from skiff.govern.mapping import STATE, VERDICTS, WITHDRAW, find_provision, map_framework
from skiff.govern.proofs import LEDGER, PARTS, PROOFS
from skiff.govern.questions import QUESTIONS, SETTLES, find_position, keep_known
from skiff.govern.rules import find_touches, parse_rules
from skiff.store.assets import read_asset

LOADED = {name: load_framework(name) for name in FRAMEWORKS}
EVERY = {provision.id for framework in LOADED.values() for provision in framework.provisions}


def record(action: str, subject: str = "x", seq: int = 1, **result: object) -> EvidenceRecord:
    return build_record(
        seq=seq, at="2026-03-01T00:00:00Z", actor="ada", action=action, subject=subject, result=result, prev=GENESIS  # type: ignore[arg-type]  # JSON
    )  # fmt: skip


def test_nist_has_its_72_subcategories() -> None:
    ids = [provision.id for provision in LOADED["nist"].provisions]
    assert len(set(ids)) == 72
    assert Counter(item.split()[0] for item in ids) == {"GOVERN": 19, "MAP": 18, "MEASURE": 22, "MANAGE": 13}


def test_iso_has_its_38_controls() -> None:
    areas = Counter(".".join(item.id.split(".")[:2]) for item in LOADED["iso"].provisions if item.id.startswith("A."))
    assert areas == {"A.2": 3, "A.3": 2, "A.4": 5, "A.5": 4, "A.6": 9, "A.7": 5, "A.8": 4, "A.9": 3, "A.10": 3}


def test_the_ai_act_has_the_amended_dates() -> None:
    rows = {item.id: item for item in LOADED["aiact"].provisions}
    assert rows["AIA-9"].applies_from.startswith("2027-12-02")
    assert rows["AIA-50.1"].applies_from == "2026-08-02"
    assert not any(item.applies_from == "2026-08-02" and "high-risk" in item.group for item in rows.values())


def test_proofs_parts_and_answers_name_provisions_and_topics_that_exist() -> None:
    assert set(PROOFS) | set(PARTS) | {item for ids in SETTLES.values() for item in ids} <= EVERY
    assert set(PARTS) <= set(PROOFS)
    assert {topic for topics in PROOFS.values() for topic in topics} <= {LEDGER, *TELL}
    assert set(SETTLES) <= {question.key for question in QUESTIONS}


def test_no_table_promises_anything() -> None:
    for name in ("nist.csv", "iso.csv", "gdpr.csv", "aiact.csv", "rules.csv"):
        assert VERDICTS.search(read_asset("skiff.govern", f"tables/{name}").decode()) is None


def test_the_commands_questions_are_those_of_the_room() -> None:
    assert [(key, choices) for key, _, choices in OPTIONS] == [(item.key, item.choices) for item in QUESTIONS]


@pytest.mark.parametrize("topic", TELL)
def test_a_record_of_any_age_makes_a_sentence(topic: str) -> None:
    assert tell_fact(topic, {}) is None
    action = TELL[topic][0] if TELL[topic][0] != "contract" else "contract.learn"
    fact = tell_fact(topic, find_latest([record(action, files=["sbom.json"])]))
    assert fact is not None
    assert fact.sentence
    assert fact.evidence == ("ev_000001",)


def test_a_release_from_before_bills_and_signatures_is_not_said_to_have_them() -> None:
    latest = find_latest([record("release", number=1)])
    assert tell_fact("parts", latest) is None
    assert "signed" not in tell_fact("release", latest).sentence  # type: ignore[union-attr]  # there is one


def test_an_empty_ledger_shows_nothing() -> None:
    for framework in LOADED.values():
        assert map_framework(framework, []).count()["open"] == len(framework.provisions)


def test_statements_stand_until_withdrawn_and_evidence_goes_before_them() -> None:
    said = record(STATE, "MEASURE 2.3", text="Tried for a month.", who="Ada")
    row = {item.provision.id: item for item in map_framework(LOADED["nist"], [said]).rows}["MEASURE 2.3"]
    assert (row.standing, row.evidence) == ("stated", ("ev_000001",))
    judged = record(
        "evaluate", seq=2, headline="roc_auc", metrics={"roc_auc": {"value": 0.8, "n": 90, "low": None, "high": None}}
    )
    row = {item.provision.id: item for item in map_framework(LOADED["nist"], [said, judged]).rows}["MEASURE 2.3"]
    assert (row.standing, row.evidence) == ("shown", ("ev_000002", "ev_000001"))
    taken = record(WITHDRAW, "MEASURE 2.3", seq=2)
    assert map_framework(LOADED["nist"], [said, taken]).count()["stated"] == 0


@pytest.mark.parametrize("name", ["measure 2.3", "MEASURE2.3", "Measure-2.3"])
def test_ids_are_found_however_they_are_typed(name: str) -> None:
    assert find_provision(name, list(LOADED.values()))[1].id == "MEASURE 2.3"


def test_an_unknown_id_gets_close_ones() -> None:
    with pytest.raises(SkiffError, match="GDPR-5"):
        find_provision("GDPR-999", list(LOADED.values()))


BASE = {"eu": "yes", "name": "client", "user": "client", "personal": "client", "prohibited": "no", "product": "no", "area": "none", "talks": "no"}  # fmt: skip


@pytest.mark.parametrize(("change", "risk", "start"), [
    ({}, "minimal", "2026-07-27"), ({"eu": "no"}, "outside", ""), ({"prohibited": "yes"}, "prohibited", "2025-02-02"),
    ({"product": "yes"}, "high", "2028-08-02"), ({"area": "employment"}, "high", "2027-12-02"),
    ({"area": "employment", "profiling": "no", "narrow": "yes"}, "minimal", "2027-12-02"),
    ({"area": "employment", "profiling": "yes", "narrow": "yes"}, "high", "2027-12-02"),
    ({"talks": "yes"}, "transparency", "2026-08-02"),
])  # fmt: skip
def test_answers_give_the_risk_class_and_its_date(change: dict[str, str], risk: str, start: str) -> None:
    found = find_position(BASE | change)
    assert (found.risk, found.applies_from) == (risk, start)


def test_what_was_not_answered_leaves_the_class_open() -> None:
    assert find_position({}).risk == "open"
    for key in ("eu", "prohibited", "product", "area", "talks"):
        assert find_position({name: value for name, value in BASE.items() if name != key}).risk == "open"


def test_roles_follow_name_and_instructions() -> None:
    assert find_position(BASE).roles == ("processor",)
    assert find_position(BASE | {"name": "mine", "user": "both", "personal": "mine"}).roles == (
        "provider",
        "deployer",
        "controller",
    )
    with pytest.raises(SkiffError) as caught:
        find_position({"eu": "perhaps"})
    assert caught.value.code == "answer_unknown"
    assert keep_known({"eu": "perhaps", "talks": "no", "gone": "1"}) == {"talks": "no"}


def test_changes_touch_whom_they_concern_and_only_until_mapped_again() -> None:
    rules = parse_rules(read_asset("skiff.govern", "tables/rules.csv").decode())
    high = BASE | {"area": "services"}
    touched = {item.rule.id for item in find_touches(rules, high, find_position(high), mapped={})}
    assert "eu-2026-1744-high-risk" in touched
    assert "eu-2026-1744-annex-i" not in touched
    assert find_touches(rules, high, find_position(high), mapped={"aiact": "2026-11-23"}) == ()
    assert {item.is_sure for item in find_touches(rules, {}, find_position({}), mapped={})} == {False}
    outside = {"eu": "no", "personal": "none", "product": "no", "talks": "no"}
    assert find_touches(rules, outside, find_position(outside), mapped={}) == ()


@pytest.mark.parametrize("text", [
    "id,what\n", "id,framework,changed,applies_from,touches,what,do\na,aiact,soon,2026-01-01,all,b,c\n",
    "id,framework,changed,applies_from,touches,what,do\na,aiact,2026-01-01,2026-01-01,some,b,c\n",
    "id,framework,changed,applies_from,touches,what,do\na,aiact\n",
    "id,framework,changed,applies_from,touches,what,do\na,aiact,2026-01-01,2026-01-01,all,b,c,d\n",
])  # fmt: skip
def test_a_rules_file_that_cannot_be_used_is_named_with_its_line(text: str) -> None:
    with pytest.raises(SkiffError) as caught:
        parse_rules(text)
    assert caught.value.code == "rules_unreadable"


def test_all_groups_of_the_record_are_told_not_only_those_it_lists() -> None:
    counted = {"looked_at": 87, "compared": 67, "worse": 2, "too_small": 20}
    fact = tell_fact("slices", find_latest([record("evaluate", groups=counted, slices=[{"is_worse": True}] * 15)]))
    assert fact is not None
    assert "67 groups, 2 clearly worse off; 20 more were too small to say" in fact.sentence
