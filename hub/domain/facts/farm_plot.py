"""地块."""

from __future__ import annotations

from decimal import Decimal

from hub.domain.enums import Sensitivity, SourceKind, Unit
from hub.domain.facts.declare import about, fact


@fact(source=SourceKind.FARM, key=("plot_number", "season", "crop"), occurred=None)
class FarmPlot:
    """地块: one crop on one plot of the season under way, as its farmer claims it and as satellite, land register and crop insurer see it (大山雀)."""

    plot_number: str = about("地块编码.", upstream=("DKBM",))
    season: str = about("Season of the crop.", upstream=("zzj",))
    crop: str = about("Crop, by the name of the lender's crop table.", upstream=("zwmc",))
    claimed_area: Decimal = about("Area as the farmer drew it.", unit=Unit.MU, upstream=("sbmj",))
    verified_area: Decimal = about("Area on which the satellite sees the crop.", unit=Unit.MU, upstream=("ygmj",))
    register_area: Decimal | None = about(
        "确权面积: area in the land register; null where it does not know the plot.", unit=Unit.MU, upstream=("QQMJ",)
    )
    insured_area: Decimal | None = about("承保面积: area that the crop insurer covers.", unit=Unit.MU, upstream=("cbmj",))
    claimed_yield: Decimal = about("Yield as the farmer expects it.", unit=Unit.KG_PER_MU, upstream=("yjcl",))
    latitude: float = about("Centre of the plot.", unit=Unit.DEGREE, sensitivity=Sensitivity.C2, upstream=("zxd",))
    longitude: float = about("Centre of the plot.", unit=Unit.DEGREE, sensitivity=Sensitivity.C2, upstream=("zxd",))
