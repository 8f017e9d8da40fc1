"""The product catalogue in the catalogue of types: the products of the reference documents in effect."""

from __future__ import annotations

from hub.credit.products.catalogue import KINDS, OWN, PEERS
from hub.store.view.catalogue import Argued, Many, Member, Rows, Scope, TypeView, columns, plain, snake
from hub.store.view.environment import NOW, TODAY

MOST_PRODUCTS, MOST_GROUPS, MOST_ELEMENTS = 200, 20, 5
_ORDER = f"{{t}}.holder, array_position(array[{', '.join(repr(str(one)) for one in KINDS)}], {{t}}.kind), {{t}}.code"


def _in_effect(scope: Scope) -> str:
    """As :func:`hub.store.evaluations.reference.in_effect` says, of what is known now."""
    day = scope.as_of or TODAY
    begun = f"loaded_at <= {NOW} and effective_from <= {day} and (effective_to is null or effective_to >= {day})"
    mine = f"name in ('{OWN}', '{PEERS}') and {begun}"
    return f"select distinct on (name) * from reference_version where {mine} order by name, effective_from desc, version desc"


def _products(t: str, scope: Scope) -> Rows:
    values = f"e.code, e.said, e.said ->> 'kind' as kind, case v.name when '{OWN}' then 'OWN' else 'PEER' end as holder, v.source, v.version, v.effective_from"
    return Rows(f"(select {values} from ({_in_effect(scope)}) v, jsonb_each(v.document) e(code, said)) {t}", ())


def _groups(t: str, scope: Scope) -> Rows:
    rows = f"jsonb_array_elements({scope['Product']}.said -> 'eligible') with ordinality {t}(said, place)"
    return Rows(rows, ())


def _said(name: str) -> str:
    return f"{{t}}.said ->> '{name}'"


def _list(name: str) -> str:
    return f"coalesce({{t}}.said -> '{name}', '[]'::jsonb)"


def _rate(place: int) -> str:
    """A share, of percent."""
    return f"trim_scale(({{t}}.said #>> '{{rate,{place}}}')::numeric / 100)::text"


def product_fields() -> dict[str, Member]:
    """The field of Query."""
    filters = {
        "asOf": Argued("date", sets="as_of"),
        "kinds": Argued("text[]", "{t}.kind = any({p})"),
        "holder": Argued("text", "{t}.holder = {p}"),
        "codes": Argued("text[]", "{t}.code = any({p})"),
        "scenarios": Argued("text[]", "({t}.said ->> 'scenario') = any({p})"),
    }
    return {"products": Many("Product", _products, _ORDER, filters, default=MOST_PRODUCTS, owned=False)}


def _matches(t: str, scope: Scope) -> Rows:
    """As they were kept with an evaluation."""
    v, p = scope["Evaluation"], f"{t}_p"
    kept = f"evaluation_profile {p}, jsonb_array_elements({p}.products) with ordinality {t}(said, place)"
    return Rows(kept, (f"{p}.customer_id = {v}.customer_id", f"{p}.evaluation_id = {v}.evaluation_id"))


PRODUCT_MATCHES = Many(
    "ProductMatch",
    _matches,
    "{t}.place",
    {
        "fits": Argued("text[]", "({t}.said ->> 'fit') = any({p})"),
        "kinds": Argued("text[]", "({t}.said ->> 'kind') = any({p})"),
        "holder": Argued("text", "({t}.said ->> 'holder') = {p}"),
    },
    default=MOST_PRODUCTS,
)


def _differences(t: str, scope: Scope) -> Rows:
    return Rows(f"jsonb_array_elements({scope['ProductMatch']}.said -> 'differences') with ordinality {t}(said, place)", ())


_MATCHED = ("code", "holder", "kind", "nameZh", "nameEn", "scenario", "peer", "seenOn", "fit", "whyZh", "whyEn")
_COMPARED = ("element", "ours", "theirs", "difference", "textZh", "textEn")

PRODUCT_TYPES = [
    TypeView(
        "ProductMatch",
        {
            **columns(**{name: _said(snake(name)) for name in _MATCHED}),
            **columns(criteria=_list("criteria"), exclusive="({t}.said -> 'exclusive')::boolean"),
            "differences": Many("ElementDifference", _differences, "{t}.place", default=MOST_ELEMENTS),
        },
    ),
    TypeView("ElementDifference", columns(same="({t}.said -> 'same')::boolean", **{name: _said(snake(name)) for name in _COMPARED})),
    TypeView(
        "Product",
        {
            **plain("code", "holder", "kind", "source", "version", "effectiveFrom"),
            **columns(nameZh=_said("name_zh"), nameEn=_said("name_en"), scenario=_said("scenario"), peer=_said("peer")),
            **columns(seenOn=_said("seen_on"), lowestLimit="{t}.said #>> '{limit,0}'", highestLimit="{t}.said #>> '{limit,1}'"),
            **columns(lowestRate=_rate(0), highestRate=_rate(1), termMonths=_list("terms"), repayment=_list("repayment")),
            **columns(guarantee=_list("guarantee"), purposes=_list("purposes")),
            "eligible": Many("ProductGroup", _groups, "{t}.place", default=MOST_GROUPS, owned=False),
        },
    ),
    TypeView(
        "ProductGroup",
        columns(
            customerTypes=_list("customer_types"),
            overlays=_list("overlays"),
            clusters=_list("clusters"),
            productClasses=_list("product_classes"),
            industries=_list("industries"),
        ),
    ),
]
