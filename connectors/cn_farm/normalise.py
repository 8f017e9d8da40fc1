"""Rows of the feed as facts. One function per service; each raises Unreadable."""

from __future__ import annotations

from connectors.cn_farm.vocabulary import Row
from hub.connect import Context, Record
from hub.domain.facts import FarmHolding, FarmPlot
from hub.domain.identifiers import PersonalId


def parcel(context: Context, record: Record) -> FarmPlot:
    row = Row(context, record)
    latitude, longitude = row.point("zxd")
    return FarmPlot(
        plot_number=row.text("DKBM"),
        season=row.text("zzj"),
        crop=row.crop("zwmc"),
        claimed_area=row.area("sbmj"),
        verified_area=row.area("ygmj"),
        register_area=row.optional_area("QQMJ"),
        insured_area=row.optional_area("cbmj"),
        claimed_yield=row.yield_of("yjcl"),
        latitude=latitude,
        longitude=longitude,
    )


def holding(context: Context, record: Record) -> FarmHolding:
    row = Row(context, record)
    registered, insured = row.optional("CBFZJHM"), row.optional("bbxrzjhm")
    return FarmHolding(
        holding_number=row.text("CBFBM"),
        register_holder=PersonalId(registered) if registered else None,
        policy_holder=PersonalId(insured) if insured else None,
        verified_seasons=row.count("hyjs"),
        insured=row.yes("sfcb"),
        purchase_contract=row.yes("sfdd"),
        credit_village=row.yes("sfxyc"),
        harvest_on=row.day("shrq"),
    )
