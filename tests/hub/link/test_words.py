"""Both languages say everything: each key stands in both, each is used, each place is filled, and no word is read as HTML."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from importlib.resources import files

import pytest

from hub.domain.audit import AccessOutcome
from hub.domain.enums import ConnectionStatus, ConsentStatus, Purpose, SourceKind
from hub.domain.facts import all_specs
from hub.link.progress import Stage
from hub.link.readings import GROUPS, told
from hub.link.telling import PROBLEMS, fault_told
from hub.link.words import Words, document, preferred
from schema.contract import build_schema

ZH, EN = document("zh"), document("en")
NEITHER = {"lang", "manage.log.fields"}
"""Keys without a word of a language."""
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_CALL = re.compile(r"\bt\('([a-z_.A-Z0-9]+)'")
_BUILT = re.compile(r"\bt(?:\.known)?\('([a-z_.]+)' ~")


def faults(zh: Mapping[str, str], en: Mapping[str, str]) -> list[str]:
    """What is wrong with two documents of words."""
    found = [f"{key} stands in one language only" for key in zh.keys() ^ en.keys()]
    for key in zh.keys() & en.keys():
        if _places(zh[key]) != _places(en[key]):
            found.append(f"{key} has other places in the other language")
        if not zh[key].strip() or not en[key].strip():
            found.append(f"{key} is empty")
        if _CHINESE.search(en[key]) or not (_CHINESE.search(zh[key]) or key in NEITHER):
            found.append(f"{key} is in the wrong language")
        if re.search(r"[<>&\"]", zh[key] + en[key]):
            found.append(f"{key} could be read as HTML")
    return found


def _places(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_say_the_same() -> None:
    assert faults(ZH, EN) == []
    assert len(ZH) > 150


@pytest.mark.parametrize(
    "change",
    [
        {"ask.title": None},
        {"ask.title": " "},
        {"ask.title": "数据"},
        {"ask.title": "<b>Data</b>"},
        {"ask.lead": "No place"},
        {"new.key": "New"},
    ],
)
def test_a_gap_is_noticed(change: Mapping[str, str | None]) -> None:
    assert faults(ZH, {key: value for key, value in {**EN, **change}.items() if value is not None})


def templates() -> dict[str, str]:
    folder = files("hub.link") / "templates"
    return {page.name: page.read_text("utf-8") for page in folder.iterdir() if page.name.endswith(".html")}


def unsaid(pages: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """Keys that the pages call and no document has; keys that no page calls."""
    text = "\n".join(pages.values())
    chosen = re.findall(r"'([a-z]+\.[a-z_.]+)' if ", text) + re.findall(r"else '([a-z]+\.[a-z_.]+)'", text)
    called = {key for key in [*_CALL.findall(text), *chosen] if not key.endswith(".")}
    built = (*_BUILT.findall(text), "scenario.", "problem.")
    return called - ZH.keys(), {key for key in ZH if key not in called and not key.startswith(built)}


def test_every_key_is_there_and_is_used() -> None:
    assert unsaid(templates()) == (set(), set())
    broken = {name: page.replace("t('ask.title')", "t('ask.titel')") for name, page in templates().items()}
    assert unsaid(broken) == ({"ask.titel"}, {"ask.title"})


def test_a_template_holds_no_words_of_its_own() -> None:
    """But for the names of the two languages."""
    for name, page in templates().items():
        assert not _CHINESE.search(page.replace("中文", "").replace("、", "")), name


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_state_has_words(language: str) -> None:
    words = Words(language)
    assert all(words(f"problem.{problem}.{part}") for problem in PROBLEMS for part in ("title", "text", "next"))
    assert all(words(f"consent.{status}") for status in ConsentStatus)
    assert all(words(f"progress.{stage}") for stage in Stage)
    assert all(words(f"state.{state}") for state in ("OPEN", *ConnectionStatus) if state != "LINKING")
    assert all(words(f"fault.{fault_told(fault)}") for fault in ("GrantRevoked", "Reauthorise", "Misconfigured", "Whatever"))
    assert all(words.purpose(purpose) != purpose for purpose in Purpose)
    assert all(words.source(source) for source in SourceKind)
    assert all(words(f"group.{group}") for group in GROUPS)
    with pytest.raises(KeyError):
        words("no.such.key")


def test_every_field_of_the_data_dictionary_has_a_chinese_name() -> None:
    names = {field.name for spec in all_specs() for field in spec.fields}
    assert set(document("dictionary.zh")) == names
    assert all(_CHINESE.search(Words("zh").kind(spec.name)) for spec in all_specs())
    assert Words("en").kind("TaxReturn") == "tax return"


def test_every_type_of_the_contract_is_told_in_words() -> None:
    """What a client can read of a customer belongs to a kind of fact or to a group. A new type is told by its coordinate until somebody gives it words."""
    core, other = build_schema().core, set()
    done = (
        "Created",
        "Result",
        "Withdrawn",
        "Made",
        "Recorded",
        "Registered",
        "Added",
        "Ended",
        "Merged",
        "Split",
        "Erased",
        "Revealed",
        "Paused",
        "Resumed",
        "Narrowed",
        "Updated",
        "Retired",
        "Disabled",
        "Enabled",
        "Revoked",
        "Drafted",
        "Tried",
        "Published",
        "Discarded",
        "Begun",
        "Loaded",
        "Raised",
        "Resolved",
        "Reproduced",
        "Approved",
        "Requested",
    )
    written = {name for name in core.type_map if name.endswith(done)}
    refusals = {
        "ConsentMissing",
        "CustomerDeclined",
        "IdempotencyKeyReused",
        "InvalidInput",
        "NotAllowed",
        "NotFound",
        "TryLater",
        "Problem",
        "PolicyInvalid",
        "PolicyFault",
    }
    for name, kind in core.type_map.items():
        if hasattr(kind, "fields") and not name.startswith("__") and not name.endswith("Input") and name not in written | refusals:
            other |= set(told([f"{name}.{field}" for field in kind.fields])[2])
    assert sorted({one.split(".")[0] for one in other}) == []
    assert told(["Novelty.value"])[2] == ("Novelty.value",), "what is not known is told as it is"


def test_every_outcome_of_a_look_up_has_words() -> None:
    for language in ("en", "zh"):
        words = Words(language)
        assert [one for one in AccessOutcome if words.known(f"outcome.{one}", "none") == "none"] == []
        assert words.known("outcome.SOMETHING_ELSE", "none") == "none", "control"


def test_names_are_text_in_any_sentence() -> None:
    assert Words("en")("finish.back", app="<b>&") == "Return to &lt;b&gt;&amp;"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "zh"),
        ("zh", "zh"),
        ("zh-TW,en;q=0.5", "zh"),
        ("en-GB,zh;q=0.5", "en"),
        ("de-CH, en", "en"),
        ("de", "en"),
        ("fr, zh;q=0.1", "zh"),
        (",;", "en"),
    ],
)
def test_the_language_a_browser_prefers(accepted: str, language: str) -> None:
    assert preferred(accepted) == language
