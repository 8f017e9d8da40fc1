"""The checks of the verifiers, read off their source, and each of them taken away in turn (trust rules, T3's control).

A check is one condition under which a function of a verifier refuses (an ``if`` whose body raises): of several joined by ``or`` each is one. Taking it away is compiling
the function without it and putting that code in the function's place. What refuses by other means than an ``if`` is taken away by hand (:data:`BY_HAND`).
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
from joserfc.jws import JWSRegistry

from hub.access import admissions, assertions, forms, guard, jose, proofs, server, tokens
from hub.access.clients import Client

VERIFIERS: tuple[ModuleType, ...] = (jose, tokens, proofs, assertions, guard, server, forms)


@dataclass(frozen=True)
class Check:
    """``function`` of ``module``, and which of its conditions."""

    module: ModuleType
    function: FunctionType
    number: int
    text: str

    @property
    def name(self) -> str:
        return f"{self.module.__name__.rpartition('.')[2]}.{self.function.__name__}: {self.text}"

    def take_away(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(self.function, "__code__", _without(self.function, self.number))


def checks() -> Iterator[Check]:
    for module in VERIFIERS:
        for function in _functions(module):
            for number, condition in enumerate(_conditions(_parsed(function))):
                yield Check(module, function, number, ast.unparse(condition))


GROUPS = {"tokens": "token", "proofs": "proof", "assertions": "assertion", "server": "assertion", "forms": "assertion", "guard": "request"}
"""Which part of the corpus is tried first where a check of a module is away."""


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    owners = [module, *(one for one in vars(module).values() if inspect.isclass(one) and one.__module__ == module.__name__)]
    for owner in owners:
        for one in vars(owner).values():
            if isinstance(one, FunctionType) and one.__module__ == module.__name__ and one.__code__.co_filename == module.__file__:
                yield one


def _parsed(function: FunctionType) -> ast.FunctionDef | ast.AsyncFunctionDef:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef)
    return tree


def _refusals(tree: ast.AST) -> Iterator[ast.If]:
    """In the order of the source."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.If) and any(isinstance(one, ast.Raise) for one in node.body)]
    yield from sorted(found, key=lambda node: node.lineno)


def _conditions(tree: ast.AST) -> Iterator[ast.expr]:
    for node in _refusals(tree):
        test = node.test
        yield from test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else [test]


def _without(function: FunctionType, number: int) -> CodeType:
    tree, seen = _parsed(function), 0
    for node in _refusals(tree):
        test = node.test
        joined = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else [test]
        for place in range(len(joined)):
            if seen == number:
                joined[place] = ast.Constant(False)
            seen += 1
        node.test = joined[0] if len(joined) == 1 else ast.BoolOp(ast.Or(), joined)
    tree.decorator_list = []
    # Annotations stay texts, as in the module itself.
    module = ast.Module([ast.parse("from __future__ import annotations").body[0], tree], [])
    compiled = compile(ast.fix_missing_locations(module), "without", "exec")
    return next(one for one in compiled.co_consts if isinstance(one, CodeType) and one.co_name == function.__name__)


def _unsigned(patch: pytest.MonkeyPatch) -> None:
    """As with a library that looks neither at the key nor at the signature."""
    patch.setattr(jose, "_fitting", lambda *_: None)
    patch.setattr(jose, "_holds", lambda *_: True)


def _lax(**hooks: Any) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setattr(jose, "_STRICT", json.JSONDecoder(**hooks))


async def _unused(*_: Any) -> bool:
    return True


def _in_the_statement(old: str, new: str) -> Callable[[pytest.MonkeyPatch], None]:
    def take_away(patch: pytest.MonkeyPatch) -> None:
        assert old in admissions._ADMIT
        patch.setattr(admissions, "_ADMIT", admissions._ADMIT.replace(old, new))

    return take_away


async def _anybody(tx: Any, client_id: str) -> Any:
    row = (await tx.exec_driver_sql("select * from client where client_id = %(id)s", {"id": client_id})).first()
    return Client.of(row) if row else None


def _any_key(jwks: Any, header: Any) -> Any:
    return jose.key_from(jwks["keys"][0]) if jwks["keys"] else assertions._NOBODY


BY_HAND: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "the signature": _unsigned,
    "whether the key fits": lambda patch: patch.setattr(jose, "_fitting", lambda head, header, *_: JWSRegistry.algorithms[header["alg"]]),
    "a proof's id counts once": _in_the_statement(
        "exists (select 1 from fresh f where f.issuer = a.thumbprint and f.jti = a.proof)", "true"
    ),
    "a disabled client": _in_the_statement("and c.disabled_at is null", ""),
    "a revoked token": _in_the_statement("kind = 'REVOKED'", "kind = 'NONE'"),
    "scopes beyond the client's": lambda patch: patch.setattr(server, "granted", lambda client, asked: asked or "customers:read"),
    "an id of an assertion or of a proof counts once": lambda patch: patch.setattr(server, "use_once", _unused),
    "a disabled client at the token endpoint": lambda patch: patch.setattr(server, "find_client", _anybody),
    "the key that the assertion names": lambda patch: patch.setattr(assertions, "_key_of", _any_key),
    "a member twice": _lax(parse_constant=jose._no_constant),
    "the client is the one that it says": lambda patch: patch.setattr(server, "claimed_client", lambda text: jose.peek(text)["sub"]),
    "what is no number of JSON": _lax(object_pairs_hook=jose._unique),
}

HELD_TWICE: dict[str, tuple[str, str]] = {
    # Whoever is not registered is told nothing that depends on it: his assertion is opened with a key that nobody has.
    "assertions.check_assertion: client is None": ("the signature", "assertion: of a client that is disabled"),
    # The client is found by what the assertion says of itself.
    "assertions.check_assertion: claims.get('iss') != client.client_id": (
        "the client is the one that it says",
        "assertion: another issuer",
    ),
    # Of another scheme no token is good; the first of the two decides what the challenge says.
    "guard._credentials: scheme.lower() not in ('dpop', 'bearer')": ("guard._proof: scheme != 'dpop'", "request: another scheme"),
    # The library opens nothing with another algorithm than it is told, or without a key, and no signature with something else in it.
    "jose.signer_of: header['alg'] not in expect.algorithms": ("the signature", "token: signature: PS256"),
    "tokens._key_of: found is None": ("the signature", "token: header: unknown key"),
    "guard._credentials: ' ' in text": ("the signature", "request: two words"),
    "jose.parts_of: not 0 < len(token) <= MAX_TOKEN": ("the signature", "token: signature: too long"),
    "jose.parts_of: not token.isascii()": ("the signature", "token: signature: not ASCII"),
    # It takes no key of another kind than the algorithm's, either.
    "jose.key_from: jwk.get('kty') not in kinds": ("the signature", "proof: at the token endpoint: RSA key"),
}
"""Checks behind which another one stands, by which, and the case that gets through when both are away."""
