"""Whose an account is, as SQL: what :func:`hub.domain.ownership.standing` says, of the facts of one connection that may be read now.

Compared with the subject and with whoever has a role today, both of the customer the connection was made for: a merge changes nothing of whose account it is.
"""

from __future__ import annotations

from hub.domain.enums import PartyRole
from hub.domain.facts import FieldType, spec_of_name
from hub.domain.ownership import OWNER_FIELDS, OwnerField, OwnerStanding
from hub.store.parties import RESPONSIBLE, in_role
from hub.store.view.environment import NOW, TODAY
from hub.store.view.gate import readable

_KIND = {(one.kind, field.name): field.kind for one in OWNER_FIELDS for field in spec_of_name(one.kind).fields}


def _said(one: OwnerField, more: str = "") -> list[str]:
    """What a kind of fact says of the owner: ``who`` is a keyed hash, or null where a plain code is compared already (``own``); and ``more`` columns."""
    table, consented = spec_of_name(one.kind).table, " and ".join((*readable("k", "f", f"'{one.kind}'"), "f.known_to is null"))
    source = f"from {table} f join consent k on k.customer_id = f.customer_id and k.source = '{one.source}'"
    mine = f"where f.customer_id = {{t}}.customer_id and f.connection_id = {{t}}.connection_id and {consented}"
    own = " and f.uscc = b.uscc" if one.own_code else ""
    found = [f"select f.{one.person}_hash as who{more} {source} {mine}{own} and f.{one.person}_hash is not null"] if one.person else []
    if one.uscc:
        # A party's number that is a natural person's is a keyed hash already.
        hashed = f"when f.{one.uscc}_masked is not null then f.{one.uscc} " if _KIND[one.kind, one.uscc] is FieldType.PARTY else ""
        code = f"case when f.{one.uscc} = b.uscc then b.subject_hash {hashed}else '' end"
        found.append(f"select {code} as who{more} {source} {mine}{own} and f.{one.uscc} is not null")
    return found


_ALL_SAID = " union all ".join(select for one in OWNER_FIELDS for select in _said(one))
_PARTY = " and ".join(("p.customer_id = b.customer_id", "p.id_hash = w.who", *in_role("p", TODAY, NOW)))
OWNER = f"""(select case when count(*) = 0 then '{OwnerStanding.UNKNOWN}'
 when bool_or(w.who <> b.subject_hash and not exists (select 1 from party p where {_PARTY})) then '{OwnerStanding.DIFFERS}'
 when bool_or(w.who = b.subject_hash) then '{OwnerStanding.MATCHES}' else '{OwnerStanding.IS_A_PARTY}' end
 from customer b cross join lateral ({_ALL_SAID}) w where b.customer_id = {{t}}.customer_id)"""

_SINCE = """exists (select 1 from raw_page g join sync_run r on r.customer_id = g.customer_id and r.run_id = g.run_id where g.customer_id = f.customer_id
 and g.page_id = f.page_id and r.connection_id = f.connection_id and r.kind = 'SYNC' and r.epoch > {t}.holder_epoch)"""
"""The fact came under the login that the connection rests on: a fact of before tells who logged in before."""
_HEARD = " union all ".join(
    # A register answers whoever asks about anybody's business: it does not tell who logged in.
    select
    for one in OWNER_FIELDS
    for select in _said(one, ", false as since" if one.own_code else f", {_SINCE} as since")
).replace("{t}", "c")
_ACTING = ", ".join(f"'{role}'" for role in sorted((PartyRole.SUBJECT, *RESPONSIBLE)))
_VOUCHED = """(p.added_at is null or exists (select 1 from identity_event e join client a on a.client_id = e.actor where e.customer_id = p.customer_id
 and e.party_id = p.party_id and e.kind = 'PARTY_ADDED' and a.audience <> 'PARTNER'))"""
"""The role is part of the claim that the customer was made with, or the institution gave it. One that an app added may be the app's own person."""
LOGGED_IN = f"""select case when bool_or(w.who <> b.subject_hash and not exists (select 1 from party p where {_PARTY})) then '{OwnerStanding.DIFFERS}'
 when bool_or(w.since and w.who = b.subject_hash) then '{OwnerStanding.MATCHES}'
 when bool_or(w.since and exists (select 1 from party p where p.role in ({_ACTING}) and {_VOUCHED} and {_PARTY})) then '{OwnerStanding.IS_A_PARTY}'
 else '{OwnerStanding.UNKNOWN}' end
 from connection c join customer b on b.customer_id = c.customer_id cross join lateral ({_HEARD}) w
 where c.customer_id = %(customer)s::uuid and c.holder_link = %(link)s::uuid"""
"""Who logged in on a link, by all connections that rest on it. IS_A_PARTY is one who acts for the business (the operator, the legal representative) alone: a spouse or a
guarantor gives the customer's data as little as takes them back. That an app says who acts is no proof of it."""
