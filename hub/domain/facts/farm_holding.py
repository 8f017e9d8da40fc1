"""农户经营档案."""

from __future__ import annotations

from datetime import date

from hub.domain.enums import SourceKind
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId


@fact(source=SourceKind.FARM, key=("holding_number",), occurred=None)
class FarmHolding:
    """农户经营档案: whom the land register and the crop insurance name, and what is known of the season under way."""

    holding_number: str = about("承包方编码.", upstream=("CBFBM",))
    register_holder: PersonalId | None = about("Resident ID of whom the land register names; null without an entry.", upstream=("CBFZJHM",))
    policy_holder: PersonalId | None = about("Resident ID of whom the crop policy names; null without one.", upstream=("bbxrzjhm",))
    verified_seasons: int = about("Number of seasons in which the plots were verified.", upstream=("hyjs",))
    insured: bool = about("The crop of the season is insured.", upstream=("sfcb",))
    purchase_contract: bool = about("Somebody has contracted to buy the harvest (订单农业).", upstream=("sfdd",))
    credit_village: bool = about("The village is on the list of credit villages (信用村).", upstream=("sfxyc",))
    harvest_on: date = about("Expected day of the harvest.", upstream=("shrq",))
