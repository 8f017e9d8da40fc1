"""natural persons in invoices

The number of a party (a buyer, a seller, an employer) is a business's and public, or a natural person's, which is the resident ID. Of a natural person's the keyed hash stands
where the number stood, beside a masked form.

What stands in the clear from before is replaced here. The keyed hash needs a key that no migration has, so a number becomes a random one of the same shape, the same in every
row, and the digest of a row a random one: from the old digest the number could be guessed. ``hub replay`` writes the keyed hashes, as new versions out of the sealed pages.
The tables are looked through after what locks them has been committed, one statement each.

Revision ID: 20261127w
Revises: 20261127v
"""

import re
import secrets
import unicodedata
from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "20261127w"
down_revision = "20261127v"
branch_labels = None
depends_on = None

_PARTIES = {
    "fact_employer_social_insurance_month": {"employer": "USCC of the employer."},
    "fact_housing_fund_account": {"employer": "USCC of the employer."},
    "fact_housing_fund_entry": {"employer": "USCC of the employer that paid, where the centre says so."},
    "fact_invoice": {"seller": "Tax number of the seller.", "buyer": "Tax number of the buyer."},
    "fact_personal_income": {"payer": "USCC of the payer, empty when not given."},
    "fact_purchase_order": {"buyer": "USCC of the buyer (采购人)."},
    "fact_social_insurance_contribution": {"employer": "USCC of the employer; empty for flexible enrolment."},
    "fact_social_insurance_enrolment": {"employer": "USCC of the employer; empty for flexible enrolment (灵活就业)."},
    "fact_taxpayer_profile": {"taxpayer_number": "纳税人识别号.", "uscc": "统一社会信用代码."},
}
_OWNER = "persons_are_hidden"
"""The owner sees no row of a customer but by a policy."""
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_AUTHORITIES = re.compile(r"(1[1239]|2[19]|3[123459]|4[19]|5[1239]|[67][129]|8[19]|9[1239]|A[19]|N[1239]|Y1)[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")


def upgrade() -> None:
    for table, fields in _PARTIES.items():
        for field, comment in fields.items():
            op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {field}_masked TEXT")
            op.execute(f"COMMENT ON COLUMN {table}.{field}_masked IS '{comment}'")
    with op.get_context().autocommit_block():
        instead: dict[str, str] = {}
        for table in (*_PARTIES, "dispute"):
            op.execute(f"DROP POLICY IF EXISTS {_OWNER} ON {table}")
            op.execute(f"CREATE POLICY {_OWNER} ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")
        for table, fields in _PARTIES.items():
            for field in fields:
                _hide(table, field, instead)
        for table in (*_PARTIES, "dispute"):
            op.execute(f"DROP POLICY {_OWNER} ON {table}")


def _hide(table: str, field: str, instead: dict[str, str]) -> None:
    """``instead``: what stands for a number from now on, by its canonical form."""
    work = op.get_bind()
    written = work.execute(sa.text(f"SELECT DISTINCT {field} FROM {table} WHERE length({field}) >= 15 AND {field}_masked IS NULL")).scalars()
    found = {text: number for text in written if (number := _persons(text)) is not None}
    if not found:
        return
    values = {
        "written": list(found),
        # A separator inside a part of a key is escaped.
        "part": [text.replace("\\", "\\\\").replace("|", "\\|") for text in found],
        "instead": [instead.setdefault(number, secrets.token_urlsafe(32)) for number in found.values()],
        "masked": [f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}" for number in found.values()],
    }
    hidden = "unnest(CAST(:written AS text[]), CAST(:part AS text[]), CAST(:instead AS text[]), CAST(:masked AS text[])) AS h(written, part, instead, masked)"
    work.execute(
        sa.text(f"""
        UPDATE dispute d SET source_key = replace(d.source_key, h.part, h.instead) FROM {table} f JOIN {hidden} ON f.{field} = h.written
        WHERE d.customer_id = f.customer_id AND d.about = f.fact_id"""),
        values,
    )
    work.execute(
        sa.text(f"""
        UPDATE {table} f SET {field} = h.instead, {field}_masked = h.masked, source_key = replace(f.source_key, h.part, h.instead),
            content_hash = uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) FROM {hidden} WHERE f.{field} = h.written"""),
        values,
    )


def _persons(text: str) -> str | None:
    """As :func:`hub.domain.identifiers.persons_number` said when this was written."""
    digits = "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in unicodedata.normalize("NFKC", text))
    plain = re.sub(r"[\W_]+", "", digits).upper()
    if not re.search(r"[0-9]{14}[0-9X]", plain):
        return None
    whole = plain[:-2] if len(plain) in (17, 20) and plain[-2:].isdigit() else plain
    if _AUTHORITIES.fullmatch(whole):
        total = sum(_ALPHABET.index(char) * pow(3, place, 31) for place, char in enumerate(whole[:17]))
        if _ALPHABET[-total % 31] == whole[17]:
            return plain if _is_resident(whole) else None
    if re.fullmatch(r"[0-9]{14}[0-9X]", whole):
        total = sum(int(digit) * weight for digit, weight in zip(whole[6:], (3, 7, 9, 10, 5, 8, 4, 2), strict=False))
        if "0123456789X0"[11 - total % 11] == whole[14] and not _is_day("2000" + whole[8:12]):
            return None
    return plain


def _is_resident(text: str) -> bool:
    if not re.fullmatch(r"[0-9]{17}[0-9X]", text) or text[6:8] not in ("19", "20") or not _is_day(text[6:14]):
        return False
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(text[:17]))
    return "10X98765432"[total % 11] == text[17]


def _is_day(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
