"""What the standards' checks find: every wrong character, every exchange of neighbours, impossible births. Figures are counted, not sampled by taste."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest

from hub.domain import identifiers
from hub.domain.facts import FactSpec, FieldType, all_specs
from hub.domain.facts.declare import spec_of_name
from hub.domain.identifiers import birth_date, canonical, fault_of_resident_id, fault_of_uscc, is_resident_id, is_uscc, persons_number

LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
TODAY = date(2026, 1, 20)
PREFIXES = [authority + category for authority, categories in identifiers._USCC_CATEGORIES.items() for category in categories]
CODES, PERSONS = 200, 200


def resident_id(random: Random) -> str:
    """A number of a region that no card has (33 99 98), of a day from 1900 on."""
    born = date(1900, 1, 1) + timedelta(days=random.randrange((TODAY - date(1900, 1, 1)).days))
    body = f"339998{born:%Y%m%d}{random.randrange(1000):03d}"
    total = sum(int(digit) * pow(2, 17 - at, 11) for at, digit in enumerate(body))
    return body + "0123456789X"[(1 - total) % 11]


def uscc(random: Random) -> str:
    body = random.choice(PREFIXES) + f"{random.randrange(10**6):06d}" + "".join(random.choices(LETTERS, k=9))
    return body + LETTERS[-sum(LETTERS.index(char) * 3**at for at, char in enumerate(body)) % 31]


def wrong_characters(text: str) -> set[str]:
    """Every text that differs in one character of the alphabet."""
    return {text[:at] + other + text[at + 1 :] for at in range(18) for other in LETTERS if other != text[at]}


def exchanged(text: str) -> set[str]:
    """Every text in which two neighbours have changed places."""
    return {text[:at] + text[at + 1] + text[at] + text[at + 2 :] for at in range(17)} - {text}


def test_every_wrong_character_and_every_exchange_is_found() -> None:
    """By check character alone would do; the figures are of the whole rule, as it is used."""
    random = Random(11643)
    for what, made, check in (("USCC", [uscc(random) for _ in range(CODES)], is_uscc), ("ID", _persons(random), is_resident_id)):
        assert all(check(one) for one in made)
        singles = [other for one in made for other in wrong_characters(one)]
        swaps = [other for one in made for other in exchanged(one)]
        found = [sum(not check(other) for other in kind) for kind in (singles, swaps)]
        print(f"{what}: {found[0]} of {len(singles)} wrong characters found, {found[1]} of {len(swaps)} exchanges of neighbours found")
        assert found == [len(singles), len(swaps)] and len(singles) == 200 * 18 * 30 and len(swaps) > 2500


def _persons(random: Random) -> list[str]:
    return [resident_id(random) for _ in range(PERSONS)]


def test_a_check_that_forgets_a_weight_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: two equal weights side by side let exchanges pass, a weight of nothing lets any character pass."""
    random = Random(1)
    made = [uscc(random) for _ in range(20)]
    spoilt = [1, 1, *identifiers._USCC_WEIGHTS[2:16], 0]
    monkeypatch.setattr(identifiers, "_USCC_WEIGHTS", spoilt)
    sound = [one[:17] + LETTERS[-sum(LETTERS.index(c) * w for c, w in zip(one, spoilt, strict=False)) % 31] for one in made]
    assert any(is_uscc(other) for one in sound for other in wrong_characters(one))


VALID = ("91350100M000100Y43", "91110108551385082Q", "91110000600037341L", "91330110MA2XXX0280")


@pytest.mark.parametrize("code", VALID)
def test_the_brief_s_codes_are_valid(code: str) -> None:
    assert fault_of_uscc(code) is None and fault_of_uscc(canonical(code.lower())) is None


@pytest.mark.parametrize("number", ["34052419800101001X", "11010519491231002X", "339998198709170425"])
def test_the_brief_s_numbers_are_valid(number: str) -> None:
    assert fault_of_resident_id(number, TODAY) is None and fault_of_resident_id(canonical(number.lower()), TODAY) is None


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("91350100M000100Y4Z", "form"),
        *((f"9135010{letter}M000100Y43", "form") for letter in "IOSVZ"),
        ("91350100M000100Y4", "form"),
        ("91350100M000100Y431", "form"),
        ("", "something else"),
        ("91350100M000100Y4X", "check character"),
        ("91350100 M000100Y43", "something else"),
        ("91350100M000100Y43\n", "something else"),
        ("９1350100M000100Y43", "something else"),
        ("91-350100M000100Y43", "something else"),
        ("913501００M000100Y43", "something else"),
    ],
)
def test_what_is_wrong_with_a_code_is_said(code: str, says: str) -> None:
    fault = fault_of_uscc(code)
    assert fault is not None and says in fault.message and fault.remedy
    assert not code or code not in fault.message + fault.remedy


def test_an_authority_or_category_that_does_not_exist_is_refused() -> None:
    """Each of the 31 x 31 beginnings, with a right check character behind it: those of the standard and no others."""
    random, accepted, refused = Random(3), set(), 0
    for one in (first + second for first in LETTERS for second in LETTERS):
        body = one + uscc(random)[2:17]
        code = body + LETTERS[-sum(LETTERS.index(char) * 3**at for at, char in enumerate(body)) % 31]
        fault = fault_of_uscc(code)
        if fault is None:
            accepted.add(one)
        else:
            assert "authority" in fault.message
            refused += 1
    print(f"{len(accepted)} beginnings exist, {refused} do not")
    assert accepted == set(PREFIXES) and {"91", "92", "93", "Y1"} <= accepted and not {"90", "94", "Y2", "B1"} & accepted


def born(text: str) -> str:
    """A number with these eight digits for a birth date and a right check character."""
    body = "339998" + text + "001"
    return body + "0123456789X"[(1 - sum(int(digit) * pow(2, 17 - at, 11) for at, digit in enumerate(body))) % 11]


def test_each_of_a_century_s_births_is_a_day_of_the_calendar() -> None:
    """Every month 00 to 13 and day 00 to 32 of 1896 to 2027: valid where Python's calendar has the day and it has come."""
    days = valid = 0
    for year in range(1896, 2028):
        for month in range(14):
            for day in range(33):
                days += 1
                expected = _exists(year, month, day)
                assert is_resident_id(born(f"{year}{month:02d}{day:02d}"), TODAY) is expected, (year, month, day)
                valid += expected
    print(f"{valid} of {days} births are possible")
    assert valid == (TODAY - date(1896, 1, 1)).days + 1


def _exists(year: int, month: int, day: int) -> bool:
    try:
        return date(year, month, day) <= TODAY
    except ValueError:
        return False


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (born("20250229"), "no day of the calendar"),
        (born("19000229"), "no day of the calendar"),
        (born("20260121"), "future"),
        ("340524800101001", "15 digits"),
        ("34052419800101001x", "form"),
        ("3405241980010100١X", "something else"),
        ("３４０５２４１９８００１０１００１Ｘ", "something else"),
        (" 34052419800101001X", "something else"),
        ("34052419800101001X\n", "something else"),
        ("340524 19800101 001X", "something else"),
        ("3405241980010100X1", "form"),
        ("340524198001010011", "check character"),
    ],
)
def test_what_is_wrong_with_a_number_is_said(number: str, says: str) -> None:
    fault = fault_of_resident_id(number, TODAY)
    assert fault is not None and says in fault.message and fault.remedy
    assert number not in fault.message + fault.remedy, "a refusal never repeats the number"


def test_a_leap_day_is_a_birthday() -> None:
    assert birth_date(born("20000229")) == date(2000, 2, 29) and is_resident_id(born("20000229"), TODAY)
    assert is_resident_id(born("20260120"), TODAY), "born today"


@pytest.mark.parametrize("text", ["ſ", "ı", "３", "Ⅹ", "ß"])
def test_a_letter_that_only_looks_like_one_is_left_alone(text: str) -> None:
    """Capitals are made of ASCII letters only: others would turn into digits' neighbours, or into two letters."""
    assert canonical(text) == text


def organisation_code(random: Random) -> str:
    """Eight digits and their check (GB 11714)."""
    digits = f"{random.randrange(10**8):08d}"
    return digits + "0123456789X0"[11 - sum(int(one) * weight for one, weight in zip(digits, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11]


def written_otherwise(number: str) -> list[str]:
    """Small letters, blanks, hyphens, words around it; full-width, Arabic-Indic and Devanagari digits."""
    others = [number.translate({ord("0") + one: zero + one for one in range(10)}) for zero in (0xFF10, 0x0660, 0x0966)]
    return [number.lower(), f" {number}\n", f"{number[:6]} {number[6:14]}-{number[14:]}", *others, f"{number[:6]}\u200b{number[6:]}"]


def test_a_persons_number_is_one_however_long_and_however_written() -> None:
    random = Random(20_261_127)
    for _ in range(PERSONS):
        number = resident_id(random)
        old, bad = number[:6] + number[8:17], number[:17] + ("1" if number[17] != "1" else "2")
        for one in (number, bad, f"{number}01", f"{number[:17]}X02", old, f"{old}01"):
            if one == old and identifiers._is_organisation_code(old[6:]):
                assert identifiers._is_day(old[8:12]), "a day of birth decides"
            if is_uscc(one[:18]) and not is_resident_id(one[:18]):
                continue
            assert persons_number(one) == one
            assert {persons_number(text) for text in written_otherwise(one)} == {one}
        assert persons_number(f"L{number}") == f"L{number}"


def test_a_businesss_number_is_none() -> None:
    random, digits = Random(31), 0
    for _ in range(20 * CODES):
        code = uscc(random)
        assert persons_number(code) is None and persons_number(f"{code}01") is None and persons_number(code.lower()) is None
        numeral = random.choice(PREFIXES[:30]).translate({ord("A"): "9", ord("N"): "1", ord("Y"): "1"}) + f"{random.randrange(10**15):015d}"
        code = numeral + LETTERS[-sum(int(char) * 3**at for at, char in enumerate(numeral)) % 31]
        if is_uscc(code):
            digits += code[17] in "0123456789X"
            assert persons_number(code) is None or is_resident_id(code)
        old = f"3301{random.randrange(100):02d}" + organisation_code(random)
        assert (persons_number(old) is None) is not identifiers._is_day(old[8:12])
    print(f"{digits} sound USCC have the form of a resident ID")
    assert digits > 500
    for text in ("", "91330100", "330106000123", "自然人", "91330203MA2ABCDEFG", "D3301000000123", "E12345678", "GOV-2024-000123"):
        assert persons_number(text) is None


def test_what_is_sound_as_both_is_a_persons() -> None:
    """Control: told by the code's check alone, these people would stand in the clear."""
    random = Random(11)
    both = [number for number in (f"3{resident_id(random)[1:]}" for _ in range(20_000)) if is_uscc(number)]
    people = [number for number in both if is_resident_id(number)]
    print(f"{len(people)} of 20,000 people have a number that is a sound USCC")
    assert len(people) > 100 and all(persons_number(one) == one for one in people)
    for one in people[:20]:
        other = one[:10] + "1332" + one[14:]
        fixed = other[:17] + LETTERS[-sum(int(char) * 3**at for at, char in enumerate(other[:17])) % 31]
        assert persons_number(fixed) is None, "no day of birth: it is the business's"


def test_the_migration_tells_them_apart_as_the_hub_does() -> None:
    path = Path(__file__).parents[2] / "migrations" / "versions" / "2026_11_27_persons_in_invoices.py"
    spec = importlib.util.spec_from_file_location("persons_in_invoices", path)
    assert spec is not None and spec.loader is not None
    migration = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(migration)
    random = Random(5)
    texts = [make(random) for make in (resident_id, uscc) for _ in range(PERSONS)]
    texts += [f"3301{random.randrange(100):02d}{organisation_code(random)}" for _ in range(PERSONS)]
    texts += [f"{random.choice(PREFIXES)}{random.randrange(10**16):016d}" for _ in range(2000)]
    texts += [number + "01" for number in texts] + [written for number in texts[:100] for written in written_otherwise(number)]
    texts += [number for number in (resident_id(random) for _ in range(2000)) if is_uscc(number)]
    told = {text: persons_number(text) for text in texts}
    assert {text: migration._persons(text) for text in texts} == told
    assert 500 < sum(one is None for one in told.values()) < len(told) - 500


_OF_A_PARTY = re.compile(r"USCC|[Tt]ax number\b|纳税人识别号|统一社会信用代码")


def undeclared(specs: Iterable[FactSpec]) -> list[str]:
    """Fields that say they hold a code or a tax number, and are kept as they come."""
    return [
        f"{spec.name}.{one.name}" for spec in specs for one in spec.fields if one.kind is FieldType.TEXT and _OF_A_PARTY.search(one.doc)
    ]


def test_who_holds_a_partys_number_says_so() -> None:
    assert undeclared(all_specs()) == ["BusinessRegistration.uscc"], "a register's own entry, whose code was checked as it came"
    invoice = spec_of_name("Invoice")
    fields = tuple(replace(one, kind=FieldType.TEXT) if one.name == "buyer" else one for one in invoice.fields)
    assert undeclared([replace(invoice, fields=fields)]) == ["Invoice.buyer"], "control"
