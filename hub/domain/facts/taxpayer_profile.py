"""纳税人信息."""

from __future__ import annotations

from hub.domain.enums import SourceKind
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId


@fact(source=SourceKind.TAX, key=("taxpayer_number",), occurred=None)
class TaxpayerProfile:
    """纳税人信息: who the tax authority says the taxpayer is."""

    taxpayer_number: str = about("纳税人识别号.", upstream=("NSRSBH",), party=True)
    uscc: str | None = about("统一社会信用代码.", upstream=("SHXYDM",), party=True)
    holder: PersonalId | None = about("Identifier (USCC or resident ID) of the person or business responsible at the tax authority.")
    taxpayer_type: str | None = about("GENERAL (一般纳税人) or SMALL_SCALE (小规模纳税人).", upstream=("ZZSNSRLX_DM",))
    vat_frequency: str | None = about("MONTH or QUARTER.", upstream=("ZZSNSQX_DM",))
    status: str = about("NORMAL, ABNORMAL or CANCELLED.", upstream=("NSRZT_DM",))
