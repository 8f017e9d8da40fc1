"""Whether a database guards itself: what its catalogue says, against the declarations (trust rules, section j).

:func:`findings` asks everything and returns what is not as it must be; ``hub migrate`` does not end well while there is anything. What is looked at is derived from
the tables' declarations, so that a new table is looked at from its first day. (Rights and policies are compared with the declarations, word by word, by a test.)

row_security   ENABLE and FORCE on every customer's table          views       run as whoever asks
policies       one for each role, none for everybody                functions   none runs as its owner
keys           begin with the customer                              roles       own nothing, are above nothing, belong to nobody
rights         none for everybody                                   limits      a session of each role ends by itself
consents       are compared with what they were
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, create_engine, pool, text

from hub.consent.law import LAW, NARROWS
from hub.errors import StoreUnguarded
from hub.store.database import CONNECT_SECONDS
from hub.store.embedded import LIMITS, Urls
from hub.store.security import covered_tables, owned_tables

ROLES = tuple(LIMITS)
KEYS_OF_SECRETS: Mapping[str, str] = {
    "uq_customer_claim": "a keyed hash of all that a customer's maker had to know, which only the hub's own role writes",
    "uq_link_session_browser": "the hash of 256 random bits: nobody meets another's by chance or by guessing",
    "uq_link_session_token_hash": "the hash of 256 random bits: nobody meets another's by chance or by guessing",
    "uq_authorisation_attempt_state": "the hash of 256 random bits: nobody meets another's by chance or by guessing",
}
"""Unique keys of customers' tables that do not begin with the customer, and why a violation of theirs tells nothing."""
AS_OWNER: Mapping[str, str] = {}
"""Functions that run as their owner (SECURITY DEFINER), and why. Each needs a fixed search_path as well."""
IN_POLICIES: Mapping[str, str] = {
    "client_is_inside": "is handed nothing, answers yes or no of whoever asks, and notes it",
    "client_sees": "is handed the customer of a row, answers yes or no, raises nothing, and notes whom the client sees",
    "hub_today": "is handed nothing",
}
"""Functions of our own that policies call, and why what they are handed cannot leak."""
UNASKED: Mapping[str, str] = {"access_log.owner_trims": "the owner answers nobody; old rows leave by it (hub.access.audit.trim)"}
"""Policies that let rows be seen without asking who looks, and why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``check`` is the name of the rule, ``where`` what breaks it."""

    check: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


Found = Iterator[Finding]
Check = Callable[[Connection], Found]


def findings(connection: Connection) -> list[Finding]:
    """All that is wrong, in the order of the checks."""
    return [finding for check in CHECKS for finding in check(connection)]


def _rows(connection: Connection, query: str, **values: Any) -> list[Any]:
    return list(connection.execute(text(query), values))


_TABLES = """
SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,
    EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'customer_id' AND NOT a.attisdropped) AS names_customer
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'f') ORDER BY 1
"""


def row_security(connection: Connection) -> Found:
    """Every customer's table has it, and so has whatever else names a customer."""
    found, owned = _rows(connection, _TABLES), set(owned_tables())
    for name in sorted(owned - {row.relname for row in found}):
        yield Finding("row_security", name, "is declared and not there")
    for row in found:
        if row.relname in owned and not row.relrowsecurity:
            yield Finding("row_security", row.relname, "row-level security is not enabled")
        if row.relname in owned and not row.relforcerowsecurity:
            yield Finding("row_security", row.relname, "row-level security is not forced on the owner")
        if row.names_customer and row.relname not in owned:
            yield Finding("row_security", row.relname, "has a customer_id and is not declared as a customer's")


_POLICIES = """
SELECT c.relname AS tablename, p.polname, p.polpermissive, p.polcmd, p.polroles = '{0}' AS for_everybody,
    ARRAY(SELECT rolname::text FROM pg_roles WHERE oid = ANY (p.polroles)) AS roles,
    pg_get_expr(p.polqual, p.polrelid) AS qual, pg_get_expr(p.polwithcheck, p.polrelid) AS with_check,
    ARRAY(SELECT f.proname::text FROM pg_depend d JOIN pg_proc f ON f.oid = d.refobjid
        WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass) AS functions
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1, 2
"""


def policies(connection: Connection) -> Found:
    """Each role has one on every customer's table; those of the clients' role ask who it is."""
    found = _rows(connection, _POLICIES)
    for name in owned_tables():
        for role in ROLES:
            if not any(row.tablename == name and row.polpermissive and role in row.roles for row in found):
                yield Finding("policies", name, f"has no policy for {role}")
    covering = {row.tablename for row in found if row.polname == "consent_covers" and not row.polpermissive and "hub_app" in row.roles}
    for name in sorted(covered_tables().keys() - covering):
        yield Finding("policies", name, "shows what nobody consents to")
    for row in found:
        where = f"{row.tablename}.{row.polname}"
        if row.for_everybody:
            yield Finding("policies", where, "is for every role")
        for expression in filter(None, (row.qual, row.with_check)):
            yield from _expression(where, row, expression)
        for function in set(row.functions) - IN_POLICIES.keys():
            yield Finding("policies", where, f"calls {function}(), which may leak what it is handed")


_ASKING = ("client_sees(", "current_setting('hub.client'", "current_setting('hub.operator'")
_SUB_SELECT = re.compile(r"\( SELECT (?:\w*\()*current_setting\(")
"""A setting in a sub-select of its own, perhaps within a COALESCE or a cast."""


def _expression(where: str, row: Any, expression: str) -> Found:
    asks = any(one in expression for one in _ASKING) or where in UNASKED
    if row.polpermissive and "hub_worker" not in row.roles and not asks:
        yield Finding("policies", where, "lets rows be seen without asking who looks")
    if _SUB_SELECT.search(expression):
        yield Finding("policies", where, "reads a setting in a sub-select, which costs each statement more than reading it for each row")


_KEYS = """
SELECT c.relname, i.relname AS name, a.attname AS first, CASE WHEN x.indisprimary THEN 'primary' ELSE 'unique' END AS kind
FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0] AND a.attnum > 0
WHERE x.indisunique AND c.relname = ANY (:owned) AND c.relnamespace = 'public'::regnamespace
UNION ALL SELECT c.relname, k.conname, a.attname, 'foreign'
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
WHERE k.contype IN ('f', 'x') AND c.relname = ANY (:owned) AND c.relnamespace = 'public'::regnamespace
UNION ALL SELECT c.relname, 'none', 'customer_id', 'missing' FROM pg_class c
WHERE c.relname = ANY (:owned) AND c.relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT 1 FROM pg_index x WHERE x.indrelid = c.oid AND x.indisprimary)
ORDER BY 1, 2
"""


def keys(connection: Connection) -> Found:
    """Else a violation tells that another customer's value exists."""
    for row in _rows(connection, _KEYS, owned=owned_tables()):
        if row.kind == "missing":
            yield Finding("keys", row.relname, "has no primary key")
        elif row.first != "customer_id" and row.name not in KEYS_OF_SECRETS:
            yield Finding("keys", f"{row.relname}.{row.name}", f"is a {row.kind} key that does not begin with customer_id")


_VIEWS = """
SELECT relname, relkind, coalesce('security_invoker=true' = ANY (reloptions) OR 'security_invoker=on' = ANY (reloptions), false) AS invoker
FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) ORDER BY 1
"""


def views(connection: Connection) -> Found:
    """A view of the owner's would be a hole, a materialised one a copy without policies."""
    for row in _rows(connection, _VIEWS):
        if row.relkind == "m":
            yield Finding("views", row.relname, "is materialised: no row-level security applies to it")
        elif not row.invoker:
            yield Finding("views", row.relname, "runs as its owner: security_invoker is not set")


_FUNCTIONS = """
SELECT proname, coalesce(array_to_string(proconfig, ' ') LIKE '%search_path=%', false) AS fixed FROM pg_proc
WHERE prosecdef AND pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) ORDER BY 1
"""


def functions(connection: Connection) -> Found:
    for row in _rows(connection, _FUNCTIONS):
        if row.proname not in AS_OWNER:
            yield Finding("functions", row.proname, "runs as its owner (SECURITY DEFINER) for no reason that is known")
        elif not row.fixed:
            yield Finding("functions", row.proname, "runs as its owner without a search_path of its own")


_ROLES = """
SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
    ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid) AS within,
    ARRAY(SELECT c.relname::text FROM pg_class c WHERE c.relowner = r.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')) || ARRAY(SELECT n.nspname::text FROM pg_namespace n WHERE n.nspowner = r.oid)
        || ARRAY(SELECT p.proname::text FROM pg_proc p WHERE p.proowner = r.oid)
        || ARRAY(SELECT d.datname::text FROM pg_database d WHERE d.datdba = r.oid AND d.datname = current_database()) AS owns,
    has_schema_privilege(rolname, 'public', 'CREATE') AS makes
FROM pg_roles r WHERE rolname = ANY (:roles) ORDER BY 1
"""
_POWERS = {
    "rolsuper": "is a superuser",
    "rolbypassrls": "has BYPASSRLS",
    "rolcreaterole": "may make roles",
    "rolcreatedb": "may make databases",
    "rolreplication": "may replicate",
    "makes": "may make tables in the hub's schema",
}


def roles(connection: Connection) -> Found:
    """Row-level security does not apply to who owns a table without FORCE, is a superuser or has BYPASSRLS, itself or by membership."""
    found = _rows(connection, _ROLES, roles=list(ROLES))
    for role in sorted(set(ROLES) - {row.rolname for row in found}):
        yield Finding("roles", role, "is not there")
    for row in found:
        for power, words in _POWERS.items():
            if getattr(row, power):
                yield Finding("roles", row.rolname, words)
        for name in row.within:
            yield Finding("roles", row.rolname, f"is a member of {name}")
        for name in row.owns:
            yield Finding("roles", row.rolname, f"owns {name}")


_RIGHTS = """
SELECT c.relname, g.grantee::regrole::text AS grantee, g.privilege_type FROM pg_class c, aclexplode(c.relacl) g
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'queue')) AND g.grantee <> c.relowner
UNION ALL SELECT c.relname, g.grantee::regrole::text, g.privilege_type FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid, aclexplode(a.attacl) g
WHERE c.relnamespace = 'public'::regnamespace AND g.grantee <> c.relowner ORDER BY 1, 2, 3
"""
_PLAIN = {"SELECT", "INSERT", "UPDATE", "DELETE", "USAGE"}


def rights(connection: Connection) -> Found:
    """Exact rights are compared with the declarations elsewhere; here nobody else has any, and nobody one that passes by row-level security."""
    for row in _rows(connection, _RIGHTS):
        if row.grantee == "-":
            yield Finding("rights", row.relname, f"may be used by everybody ({row.privilege_type})")
        elif row.privilege_type not in _PLAIN:
            yield Finding("rights", row.relname, f"{row.grantee} has {row.privilege_type}, which row-level security does not bound")


_LIMITS = """
SELECT r.rolname, split_part(one, '=', 1) AS name, split_part(one, '=', 2) AS value
FROM pg_roles r JOIN pg_db_role_setting s ON s.setrole = r.oid AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
CROSS JOIN unnest(s.setconfig) AS one WHERE r.rolname = ANY (:roles)
"""


def limits(connection: Connection) -> Found:
    """Whatever a session says itself, or does not: through a pooler it says nothing."""
    found = {(row.rolname, row.name): row.value for row in _rows(connection, _LIMITS, roles=list(ROLES))}
    for role, wanted in LIMITS.items():
        for name in wanted:
            if found.get((role, name), "0").rstrip("abcdefghijklmnopqrstuvwxyz ") in ("", "0", "-1"):
                yield Finding("limits", role, f"has no {name}")


_LAW = """
SELECT t.tgenabled, p.prosrc, pg_get_triggerdef(t.oid) AS told FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE t.tgrelid = 'public.consent'::regclass AND t.tgname = :law
"""
_WHENEVER = f"CREATE TRIGGER {LAW} BEFORE UPDATE ON public.consent FOR EACH ROW WHEN ((CURRENT_USER <> 'hub_worker'::name)) EXECUTE FUNCTION {LAW}()"


def consents(connection: Connection) -> Found:
    """What has ended is not revived, and what was given does not become wider, whoever updates it but for the hub's own role."""
    found = [tuple(row) for row in _rows(connection, _LAW, law=LAW)]
    if found != [("O", NARROWS, _WHENEVER)]:
        yield Finding("consents", "consent", "may be revived or become wider: the trigger is not the declared one")


CHECKS: tuple[Check, ...] = (row_security, policies, keys, views, functions, roles, rights, limits, consents)


async def require_guarded(urls: Urls) -> None:
    """Raises StoreUnguarded with what is wrong."""
    found = await asyncio.to_thread(_asked, urls.owner)
    if found:
        raise StoreUnguarded(f"The database does not guard itself. {'; '.join(map(str, found))}.")


def _asked(url: str) -> list[Finding]:
    engine = create_engine(url, poolclass=pool.NullPool, connect_args={"connect_timeout": CONNECT_SECONDS})
    with engine.connect() as connection:
        found = findings(connection)
    engine.dispose()
    return found
