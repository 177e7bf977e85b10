"""Signed statements between core and modules: compact JWS, signed with Ed25519, told apart by `typ`.

Licenses, admin tickets and a module's own calling card are all made and checked here. A token of one `typ`
is never accepted as another, only Ed25519 is allowed, and whatever is wrong with a token raises
`TokenInvalid`. What is signed here says `alg: EdDSA` (RFC 8037), the name that every library knows; the newer
name for the same, `Ed25519` (RFC 9864), is understood, too.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

import orjson
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization, OKPKey
from joserfc.jws import JWSRegistry

from tochka_sdk.errors import Unauthenticated

CURVE = "Ed25519"
ALGORITHM = "EdDSA"
LEEWAY_S = 30

Jwks = KeySet | Mapping[str, Any]
"""Public keys: a joserfc `KeySet`, or the JSON object `{"keys": […]}` of a `jwks.json`."""


def _registry() -> JWSRegistry:
    """Both names of the algorithm, and one curve for both: `EdDSA` alone would admit others."""
    names = (ALGORITHM, CURVE)
    registry = JWSRegistry(algorithms=names)
    registry.algorithms = dict.fromkeys(names, JWSRegistry.algorithms[CURVE])
    return registry


_REGISTRY = _registry()


class TokenInvalid(Unauthenticated):
    """401: the token is not what it claims to be."""

    code = "tokens.invalid"


class UnknownKey(TokenInvalid):
    """401: signed with a key that is not among the known ones; fetching the keys anew may help."""

    code = "tokens.unknown_key"


def generate_key() -> OKPKey:
    """A fresh Ed25519 private key whose `kid` is its RFC 7638 thumbprint."""
    return OKPKey.generate_key("Ed25519", {"use": "sig"}, auto_kid=True)


def read_key(text: str) -> OKPKey:
    """An Ed25519 private key from its JWK as JSON. Raises ValueError, which does not repeat the text."""
    try:
        key = OKPKey.import_key(_nameless(json.loads(text)))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise ValueError("not an Ed25519 private JWK") from None
    if not key.is_private or key.curve_name != CURVE:
        raise ValueError("not an Ed25519 private JWK")
    key.ensure_kid()
    return key


def public_jwk(key: OKPKey, **members: str) -> dict[str, Any]:
    """The public half as a JWK for `jwks.json`: kty, crv, x, kid, use=sig, alg=EdDSA, and `members`."""
    key.ensure_kid()
    public = dict(key.as_dict(private=False))
    return {**public, "use": "sig", "alg": ALGORITHM, **members}


def key_of(jwk: Mapping[str, Any]) -> OKPKey:
    """The key of one public JWK, whatever else the JWK says. Raises `TokenInvalid`."""
    try:
        return OKPKey.import_key({"kty": "OKP", "crv": CURVE, "x": jwk["x"]})
    except (JoseError, ValueError, TypeError, KeyError):
        raise TokenInvalid("The key is not valid.") from None


def encode(typ: str, claims: Mapping[str, Any], key: OKPKey) -> str:
    """Sign `claims` as a token of the given `typ` ("license+jwt"), naming the key by `kid`."""
    key.ensure_kid()
    header = {"alg": ALGORITHM, "typ": typ, "kid": key.kid}
    # Not by `jwt.encode`: what that adds to a signature costs three times the signature.
    return jws.serialize_compact(header, orjson.dumps(claims), key, registry=_REGISTRY)


def decode(token: str, keys: Jwks | OKPKey, *, typ: str, issuer: str, audience: str) -> dict[str, Any]:
    """The claims of a token whose signature, `typ`, `iss` and `aud` hold. Times are the caller's to check.

    Of a key set, the token's `kid` chooses the key; a single key is the only one there is, whatever the
    token calls it.

    Raises:
        UnknownKey: no key of the set has the token's `kid`.
        TokenInvalid: anything else is wrong with it.
    """
    claims = verify(token, keys, typ=typ)
    if claims.get("iss") != issuer or not _is_for(claims.get("aud"), audience):
        raise TokenInvalid("The token is meant for somebody else.")
    return claims


def verify(token: str, keys: Jwks | OKPKey, *, typ: str) -> dict[str, Any]:
    """The claims of a token whose signature and `typ` hold, whoever it is meant for: a statement, that is,
    and nothing that opens a door. Otherwise as `decode`.
    """
    if not isinstance(keys, OKPKey):
        keys = key_set(keys)
        kid = _kid(token)
        if all(key.kid != kid for key in keys):
            raise UnknownKey("The token is signed with an unknown key.")
    try:
        decoded = jwt.decode(token, keys, registry=_REGISTRY)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise TokenInvalid("The token is not valid.") from None
    if decoded.header.get("typ") != typ:
        raise TokenInvalid("The token is of another kind.")
    return decoded.claims


def _kid(token: str) -> str:
    """The `kid` that the header names, read before anything is verified."""
    from joserfc.util import json_b64decode

    try:
        header = json_b64decode(token.partition(".")[0].encode("ascii"))
    except (ValueError, TypeError, RecursionError):
        raise TokenInvalid("The token is not valid.") from None
    kid = header.get("kid") if isinstance(header, dict) else None
    if not isinstance(kid, str):
        raise TokenInvalid("The token does not say which key it is signed with.")
    return kid


def _is_for(claim: object, audience: str) -> bool:
    return claim == audience or (isinstance(claim, list) and audience in claim)


def key_set(jwks: Jwks) -> KeySet:
    """The Ed25519 keys of `jwks`; others are passed over, since a set may hold newer kinds."""
    if isinstance(jwks, KeySet):
        return jwks
    return _parsed(orjson.dumps(dict(jwks), option=orjson.OPT_SORT_KEYS))


@lru_cache(maxsize=32)
def _parsed(document: bytes) -> KeySet:
    members = orjson.loads(document).get("keys", [])
    known = [
        {name: value for name, value in _nameless(member).items() if name != "d"}
        for member in members
        if isinstance(member, dict) and (member.get("kty"), member.get("crv")) == ("OKP", CURVE)
    ]
    try:
        return KeySet.import_key_set(cast("KeySetSerialization", {"keys": known})) if known else KeySet([])
    except (JoseError, ValueError, TypeError):
        raise TokenInvalid("The key set is not valid.") from None


def _nameless(jwk: dict[str, Any]) -> dict[str, Any]:
    """A JWK without its `alg`, which may be either name of the algorithm, whichever a token says."""
    return {name: value for name, value in jwk.items() if name != "alg"}
