"""Scenario: what a customer can be evaluated for."""

from __future__ import annotations

import strawberry

from hub.domain.enums import SourceKind
from schema.access import DataKind, access, shown
from schema.types.evaluation_parts import PolicyVersion

_RESULT = access("enhancement:read", DataKind.RESULT)


@strawberry.type(description="A source that a scenario cannot do without.", directives=[_RESULT])
class ScenarioSource:
    any_of: list[SourceKind] = shown("One of these kinds will do.")
    months: int | None = shown("Months of history it must cover; null: as much as there is.")
    every_month: bool = shown("Every one of these months, not only as many as the window needs.")
    single_order_months: int | None = shown("Latest months that must be covered order by order.")


@strawberry.type(description="场景: what a customer can be evaluated for, by the policy in force.", directives=[_RESULT])
class Scenario:
    id: strawberry.ID = shown("Id, for example `S03`: what `evaluate` and `evaluation` take.")
    name: str | None = shown("Name as a word, for example `ECOM_SELLER`.")
    title_zh: str | None = shown("名称 (Chinese).")
    description_zh: str | None = shown("说明 (Chinese). Null for a scenario of the institution's own.")
    description_en: str | None = shown("The same in English.")
    policy: PolicyVersion = shown("The policy in force on the day asked for; before its first day, the first.")
    sources: list[ScenarioSource] = shown("Sources it cannot do without. Ask the customer for these with `createLinkSession`.")
    optional_sources: list[SourceKind] = shown("Sources that may add to the limit, the price or the tier.")
    base_term_months: int | None = shown("Term without enhancement, in months; null where it depends on the case.")
    term_bonus_months: int | None = shown("Months that the highest tier adds.")
    repayment: list[str] = shown("还款方式, the preferred one first.")
    guarantee: list[str] = shown("担保方式, the preferred one first.")
