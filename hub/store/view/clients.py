"""The clients of the hub, in the catalogue. They belong to no customer: whoever may see one sees all."""

from __future__ import annotations

from hub.store.view.catalogue import Argued, Many, Member, Order, Paged, Rows, Scope, TypeView, columns, plain

# A client has no id that a cursor could hold: this one stands for its name.
_ROWS = "(select c.*, md5(c.client_id)::uuid as row_id, (c.created_at at time zone 'UTC')::date as created_on from client c)"
# The members that make a key, in the order and form of RFC 7638.
_CANONICAL = """case {t}.key ->> 'kty'
 when 'EC' then concat('{"crv":"', {t}.key ->> 'crv', '","kty":"EC","x":"', {t}.key ->> 'x', '","y":"', {t}.key ->> 'y', '"}')
 when 'OKP' then concat('{"crv":"', {t}.key ->> 'crv', '","kty":"OKP","x":"', {t}.key ->> 'x', '"}')
 else concat('{"e":"', {t}.key ->> 'e', '","kty":"RSA","n":"', {t}.key ->> 'n', '"}') end"""
_THUMBPRINT = f"rtrim(translate(encode(sha256(convert_to({_CANONICAL}, 'UTF8')), 'base64'), '+/', '-_'), '=')"


def _clients(t: str, scope: Scope) -> Rows:
    return Rows(f"{_ROWS} {t}", ())


def _keys(t: str, scope: Scope) -> Rows:
    return Rows(f"jsonb_array_elements({scope['Client']}.jwks -> 'keys') with ordinality {t}(key, place)", ())


def client_fields() -> dict[str, Member]:
    """The field of Query."""
    filters = {
        "clientId": Argued("text", "{t}.client_id = {p}"),
        "audience": Argued("text", "{t}.audience = {p}"),
        "disabled": Argued("boolean", "({t}.disabled_at is not null) = {p}"),
    }
    return {"clients": Paged("Client", _clients, Order("row_id", "created_on"), filters, owned=False)}


CLIENT_TYPES = [
    TypeView(
        "Client",
        {
            **plain("clientId", "name", "audience", "scopes", "purposes", "returnUrls", "bearer", "documents", "costPerMinute"),
            **plain("listedFrom", "listedTo", "listedIn"),
            **plain("createdAt", "disabledAt", "lastTokenAt", "tokensFrom"),
            "keys": Many("ClientKey", _keys, "{t}.place", default=2),
        },
    ),
    TypeView("ClientKey", columns(thumbprint=_THUMBPRINT, kid="{t}.key ->> 'kid'", kind="{t}.key ->> 'kty'")),
]
