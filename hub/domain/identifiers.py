"""Identifiers of persons and businesses, and the ids the hub makes.

USCC: GB 32100-2015 (check: MOD 31-3). Resident ID: GB 11643-1999 (check: ISO 7064 MOD 11-2). Test vectors: domain brief, section 1.2. Both checks find every
single wrong character and every exchange of two neighbours; neither says that the identifier was ever given to anybody.
"""

from __future__ import annotations

import os
import re
import time
import unicodedata
import uuid
from dataclasses import dataclass
from datetime import date
from typing import NewType

CustomerId = NewType("CustomerId", uuid.UUID)
ConnectionId = NewType("ConnectionId", uuid.UUID)
ConsentId = NewType("ConsentId", uuid.UUID)

PersonalId = NewType("PersonalId", str)
"""An identifier or name that belongs to a person.

As a connector produces it: the plain text. As it comes out of the store: its keyed hash. The store never keeps the plain text outside
the vault; it keeps ``<field>_hash`` (HMAC-SHA256, for equality) and ``<field>_masked`` (what may be shown).
"""

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_PATTERN = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
_USCC_WEIGHTS = [pow(3, i, 31) for i in range(17)]
_USCC_CATEGORIES = {
    "1": "1239",
    "2": "19",
    "3": "123459",
    "4": "19",
    "5": "1239",
    "6": "129",
    "7": "129",
    "8": "19",
    "9": "1239",
    "A": "19",
    "N": "1239",
    "Y": "1",
}
"""Categories of organisation by registration authority (登记管理部门, 机构类别), GB 32100-2015 with its amendment of 2016.

9 is the market regulator: 91 an enterprise, 92 an individual business (个体工商户), 93 a farmers' cooperative; 9 behind it is reserved for others.
"""
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_LONG_RUN = re.compile(r"[0-9]{14}[0-9X]")
_BETWEEN = re.compile(r"[\W_]+")
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class Unsound:
    """Why a text is no identifier, and what to do about it. Never holds the text."""

    message: str
    remedy: str


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562, method 3): milliseconds, a 4,096th of one, then 62 random bits. Sorts by time of making, also within a millisecond."""
    return uuid.UUID(int=_new_number())


def new_id_text() -> str:
    """As text, where nothing else is wanted of it."""
    digits = f"{_new_number():032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _new_number() -> int:
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    made = milliseconds << 80 | 0x7 << 76 | (rest * 4096 // 1_000_000) << 64 | 0x2 << 62
    return made | int.from_bytes(os.urandom(8), "big") >> 2


def canonical(text: str) -> str:
    """The one rule by which an identifier may be written differently: small ASCII letters are capitals (``x`` is the check character ``X``).

    Blanks, line feeds, hyphens and full-width digits are not taken away or replaced: they tell that the text was not typed as an identifier, and are refused.
    """
    return text.upper() if text.isascii() else text


def fault_of_uscc(text: str) -> Unsound | None:
    """What is wrong with a 统一社会信用代码 (GB 32100-2015) in canonical form; None: nothing. Says nothing about existence."""
    if fault := _foreign_characters(text, "code"):
        return fault
    if not _USCC_PATTERN.fullmatch(text):
        return Unsound(
            "The unified social credit code has not the form of one.",
            "It has 18 digits and capital letters without I, O, S, V and Z; the third to the eighth are digits.",
        )
    if text[1] not in _USCC_CATEGORIES.get(text[0], ""):
        return Unsound(
            "The unified social credit code begins with a registration authority or category that does not exist.",
            "Check its first two characters: 91 is an enterprise, 92 an individual business, 93 a farmers' cooperative.",
        )
    total = sum(_USCC_ALPHABET.index(char) * weight for char, weight in zip(text, _USCC_WEIGHTS, strict=False))
    if _USCC_ALPHABET[(31 - total % 31) % 31] != text[17]:
        return Unsound("The check character of the unified social credit code is wrong.", "Check the 18 characters.")
    return None


def fault_of_resident_id(text: str, today: date | None = None) -> Unsound | None:
    """What is wrong with a 居民身份证号 (GB 11643-1999) in canonical form; None: nothing.

    A birth date after ``today`` is wrong. Region digits are not checked: old codes stay valid.
    """
    if fault := _foreign_characters(text, "resident ID"):
        return fault
    if re.fullmatch(r"[0-9]{15}", text):
        return Unsound(
            "The resident ID has 15 digits: such numbers ended with 2013.",
            "Take the 18 characters of the person's card of today; the hub makes none of the old number, because its century would be a guess.",
        )
    if not re.fullmatch(r"[0-9]{17}[0-9X]", text):
        return Unsound("The resident ID has not the form of one.", "It has 17 digits and then a digit or X.")
    total = sum(int(digit) * weight for digit, weight in zip(text, _RESIDENT_WEIGHTS, strict=False))
    if "10X98765432"[total % 11] != text[17]:
        return Unsound("The check character of the resident ID is wrong.", "Check the 18 characters.")
    return _fault_of_birth(text, today)


def _fault_of_birth(text: str, today: date | None) -> Unsound | None:
    check = "Check the seventh to the fourteenth character: year, month and day of birth."
    try:
        born = birth_date(text)
    except ValueError:
        return Unsound("The birth date in the resident ID is no day of the calendar.", check)
    return Unsound("The birth date in the resident ID lies in the future.", check) if today is not None and born > today else None


def _foreign_characters(text: str, what: str) -> Unsound | None:
    if text.isascii() and text.isalnum():
        return None
    return Unsound(
        f"The {what} holds something else than digits and plain letters.",
        "Send it without blanks, hyphens and line feeds, and with half-width digits.",
    )


def is_uscc(text: str) -> bool:
    """统一社会信用代码 in canonical form: form, authority, category and check character. Says nothing about existence."""
    return fault_of_uscc(text) is None


def is_resident_id(text: str, today: date | None = None) -> bool:
    """居民身份证号 in canonical form: check character and a real birth date, not after ``today``."""
    return fault_of_resident_id(text, today) is None


def persons_number(text: str) -> str | None:
    """The number in canonical form if it is, or may be, a natural person's; None: a business's, or no such number at all. For :func:`about` with ``party``.

    A natural person's tax number is the resident ID (18 characters, of old 15 digits), that of a sole trader of old the owner's resident ID and two digits. So 15
    digits in a row are a person's, whatever their check says, unless they are a business's beyond doubt: a sound USCC, or the number of before (region and
    organisation code, GB 11714). What is sound as both is a person's: of the resident IDs of a dozen provinces one in 31 is a sound USCC. Blanks, signs and digits of
    another script hide nothing.
    """
    if len(text) < 15:
        return None
    plain = _BETWEEN.sub("", text if text.isascii() else _in_ascii_digits(text)).upper()
    if not _LONG_RUN.search(plain):
        return None
    # A branch of a business, and each business of one owner, has two digits more.
    whole = plain[:-2] if len(plain) in (17, 20) and plain[-2:].isdigit() else plain
    return None if _is_a_business(whole) else plain


def _in_ascii_digits(text: str) -> str:
    """Whatever script digits are written in."""
    return "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in unicodedata.normalize("NFKC", text))


def _is_a_business(number: str) -> bool:
    if is_uscc(number):
        return not (is_resident_id(number) and 1900 <= birth_date(number).year < 2100)
    return bool(re.fullmatch(r"[0-9]{14}[0-9X]", number)) and _is_organisation_code(number[6:]) and not _is_day(number[8:12])


def _is_organisation_code(text: str) -> bool:
    """组织机构代码 that has no letters (GB 11714-1997, MOD 11)."""
    total = sum(int(digit) * weight for digit, weight in zip(text, _ORGANISATION_WEIGHTS, strict=False))
    return "0123456789X0"[11 - total % 11] == text[8]


def _is_day(month_and_day: str) -> bool:
    try:
        date(2000, int(month_and_day[:2]), int(month_and_day[2:]))
    except ValueError:
        return False
    return True


def birth_date(resident_id: str) -> date:
    """The date of birth in digits 7 to 14. Raises ValueError when it is no date."""
    return date(int(resident_id[6:10]), int(resident_id[10:12]), int(resident_id[12:14]))


def mask(text: str) -> str:
    """What may be shown (JR/T 0171-2020): ``330110********0012`` of numbers of 15 or more, ``138****0000`` from 11 on, else the first character.

    A number is a text of which at least half are digits.

    At least four characters stay hidden wherever more than one is shown; of a name in Chinese it is the surname.
    """
    if len(text) >= 11 and text.isascii():
        digits = len(text) - len(text.encode().translate(None, b"0123456789"))
        if digits * 2 >= len(text):
            return text[:6] + "*" * (len(text) - 10) + text[-4:] if len(text) >= 15 else text[:3] + "*" * (len(text) - 7) + text[-4:]
    return text[:1] + "*" * max(1, len(text) - 1)
