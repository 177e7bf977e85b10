"""Licenses and tickets: only genuine ones count, each for its own purpose, at its own time."""

import base64
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import KeySet, OctKey, OKPKey
from tochka_sdk import license as licenses
from tochka_sdk import tickets, tokens
from tochka_sdk.ids import uuid7
from tochka_sdk.license import License, LicenseInvalid
from tochka_sdk.tickets import Ticket, TicketInvalid
from tochka_sdk.tokens import TokenInvalid, UnknownKey

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
T = int(NOW.timestamp())
KEY, OTHER = tokens.generate_key(), tokens.generate_key()
JWKS = {"keys": [tokens.public_jwk(KEY), tokens.public_jwk(OTHER)]}
ISSUER, MODULE = "https://tochka.example", "shop"


def a_license(**changes: Any) -> License:
    """A license of this minute."""
    members: dict[str, Any] = {
        "iss": ISSUER,
        "aud": MODULE,
        "sub": uuid7(),
        "tenant_id": uuid7(),
        "status": "active",
        "access": "full",
        "plan": "start",
        "entitlements": {"products": 100, "delivery": True, "seo": False, "staff": None, "nothing": 0},
        "version": T * 1000,
        "iat": T,
        "exp": T + licenses.LIFETIME_S,
        "grace_until": T + licenses.GRACE_S,
    }
    return License(**{**members, **changes})


def a_ticket(**changes: Any) -> Ticket:
    """A ticket of this minute."""
    members: dict[str, Any] = {
        "iss": ISSUER,
        "aud": MODULE,
        "sub": uuid7(),
        "tenant_id": uuid7(),
        "user_id": uuid7(),
        "role": "owner",
        "jti": secrets.token_hex(8),
        "iat": T,
        "exp": T + 60,
    }
    return Ticket(**{**members, **changes})


def test_a_license_survives_the_journey() -> None:
    original = a_license()
    token = licenses.sign(original, KEY)
    assert licenses.verify(token, JWKS, MODULE, ISSUER, NOW) == original
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert header == {"alg": "EdDSA", "typ": "license+jwt", "kid": KEY.kid}


HOURS = timedelta(hours=1)


@pytest.mark.parametrize(
    ("access", "after", "expected"),
    [
        ("full", 0 * HOURS, "full"),
        ("full", 23 * HOURS, "full"),
        ("full", 25 * HOURS, "full"),  # expired, but the core may be away
        ("full", 71 * HOURS, "full"),
        ("full", 72 * HOURS, "closed"),
        ("limited", 0 * HOURS, "limited"),
        ("limited", 71 * HOURS, "limited"),
        ("limited", 73 * HOURS, "closed"),
        ("closed", 0 * HOURS, "closed"),
        ("closed", 1 * HOURS, "closed"),
    ],
)
def test_access_follows_the_license_and_the_clock(access: str, after: timedelta, expected: str) -> None:
    assert a_license(access=access).access_at(NOW + after) == expected


@pytest.mark.parametrize(
    ("key", "allowed", "limit"),
    [
        ("products", True, 100),
        ("delivery", True, None),
        ("seo", False, 0),
        ("staff", True, None),
        ("nothing", False, 0),
        ("unknown", False, 0),
    ],
)
def test_what_is_bought_is_allowed_and_no_more(key: str, allowed: bool, limit: float | None) -> None:
    full, closed = a_license(), a_license(access="closed")
    assert (full.allows(key, NOW), full.limit(key, NOW)) == (allowed, limit)
    assert (closed.allows(key, NOW), closed.limit(key, NOW)) == (False, 0)
    assert full.limit(key, NOW + 73 * HOURS) == 0


def test_half_life_is_in_the_middle() -> None:
    assert a_license().half_life == T + licenses.LIFETIME_S // 2


def _forge(header: dict[str, Any], claims: dict[str, Any], key: Any = KEY) -> str:
    return jwt.encode(header, claims, key, algorithms=["Ed25519", "HS256"], default_type=None)


def _unsigned(claims: dict[str, Any]) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'typ': 'license+jwt', 'kid': KEY.kid})}.{part(claims)}."


CLAIMS = a_license().model_dump(mode="json")
HEADER = {"alg": "Ed25519", "typ": "license+jwt", "kid": KEY.kid}
GOOD = _forge(HEADER, CLAIMS)
FORGED = {
    "empty": "",
    "garbage": "garbage",
    "three dots": "...",
    "not ASCII": "ы.ы.ы",
    "a header that is a list": base64.urlsafe_b64encode(b"[]").decode() + ".e30.x",
    "a cut signature": GOOD[:-10],
    "a changed payload": GOOD.replace(GOOD.split(".")[1], GOOD.split(".")[1][:-2] + "AA"),
    "no signature at all": _unsigned(CLAIMS),
    "signed with a shared secret": _forge(
        {**HEADER, "alg": "HS256"}, CLAIMS, OctKey.import_key(secrets.token_bytes(32))
    ),
    "signed with another known key under this kid": _forge(HEADER, CLAIMS, OTHER),
    "signed with an unknown key": licenses.sign(a_license(), tokens.generate_key()),
    "without a kid": _forge({"alg": "Ed25519", "typ": "license+jwt"}, CLAIMS),
    "of another kind": _forge({**HEADER, "typ": "at+jwt"}, CLAIMS),
    "of no kind": _forge({"alg": "Ed25519", "kid": KEY.kid}, CLAIMS),
    "a ticket": tickets.sign(a_ticket(), KEY),
    "of another issuer": licenses.sign(a_license(iss="https://evil.example"), KEY),
    "for another module": licenses.sign(a_license(aud="courses"), KEY),
    "without a subject": _forge(HEADER, {**CLAIMS, "sub": None}),
    "with a strange access": _forge(HEADER, {**CLAIMS, "access": "everything"}),
    "with times out of order": _forge(HEADER, {**CLAIMS, "exp": CLAIMS["grace_until"] + 1}),
    "with a version that is no number": _forge(HEADER, {**CLAIMS, "version": "latest"}),
    "issued tomorrow": licenses.sign(a_license(iat=T + 86400, exp=T + 90000, grace_until=T + 100000), KEY),
    "beyond its grace": licenses.sign(a_license(iat=T - 10, exp=T - 5, grace_until=T - 1), KEY),
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_forged_licenses_are_refused(token: str) -> None:
    with pytest.raises(TokenInvalid):
        licenses.verify(token, JWKS, MODULE, ISSUER, NOW)


def test_an_unknown_key_is_told_apart_since_keys_can_be_fetched() -> None:
    token = licenses.sign(a_license(), tokens.generate_key())
    with pytest.raises(UnknownKey):
        licenses.read(token, JWKS, audience=MODULE, issuer=ISSUER)


def test_an_audience_may_be_a_list_and_the_license_is_for_this_module() -> None:
    token = _forge(HEADER, {**CLAIMS, "aud": ["courses", MODULE]})
    assert licenses.read(token, JWKS, audience=MODULE, issuer=ISSUER).aud == MODULE


def test_a_statement_is_verified_whoever_it_is_meant_for_and_only_as_what_it_is() -> None:
    said = {"seal": 7}
    token = tokens.encode("audit-checkpoint+jwt", said, KEY)
    assert tokens.verify(token, JWKS, typ="audit-checkpoint+jwt") == said
    assert tokens.verify(token, KEY, typ="audit-checkpoint+jwt") == said
    for other in (token[:-8] + "AAAAAAAA", token.rpartition(".")[0] + ".", ""):
        with pytest.raises(TokenInvalid):
            tokens.verify(other, JWKS, typ="audit-checkpoint+jwt")
    with pytest.raises(TokenInvalid, match="another kind"):
        tokens.verify(token, JWKS, typ="license+jwt")
    with pytest.raises(UnknownKey):
        tokens.verify(token, {"keys": [tokens.public_jwk(OTHER)]}, typ="audit-checkpoint+jwt")
    with pytest.raises(TokenInvalid):
        tokens.decode(token, JWKS, typ="audit-checkpoint+jwt", issuer=ISSUER, audience=MODULE)


@pytest.mark.parametrize("published", ["EdDSA", "Ed25519", None])
def test_both_names_of_the_algorithm_are_understood(published: str | None) -> None:
    """`EdDSA` (RFC 8037) and `Ed25519` (RFC 9864), whichever the token says and whichever the key."""
    key = {name: value for name, value in {**tokens.public_jwk(KEY), "alg": published}.items() if value}
    for token in (licenses.sign(a_license(), KEY), GOOD):
        assert licenses.verify(token, {"keys": [key]}, MODULE, ISSUER, NOW).aud == MODULE
    private = json.dumps({**KEY.as_dict(private=True), **key})
    assert tokens.read_key(private).kid == KEY.kid
    assert licenses.sign(a_license(), tokens.read_key(private))


def test_another_curve_does_not_pass_as_eddsa() -> None:
    key = OKPKey.generate_key("Ed448", {"kid": str(KEY.kid)})
    with pytest.warns(SecurityWarning):
        token = jwt.encode({**HEADER, "alg": "EdDSA"}, CLAIMS, key, algorithms=["EdDSA"], default_type=None)
    with pytest.raises(TokenInvalid):
        licenses.verify(token, KeySet([key]), MODULE, ISSUER, NOW)


def test_key_sets_with_strange_members_still_serve() -> None:
    strange = [{"kty": "ML-DSA", "kid": "future"}, "text", {"kty": "RSA"}, {"kty": "OKP", "crv": "X25519"}]
    jwks = {"keys": [*strange, *JWKS["keys"]]}
    assert licenses.verify(GOOD, jwks, MODULE, ISSUER, NOW).aud == MODULE
    assert licenses.verify(GOOD, tokens.key_set(jwks), MODULE, ISSUER, NOW).aud == MODULE
    unreadable: list[dict[str, Any]] = [
        {"keys": []},
        {},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "?"}]},
    ]
    for broken in unreadable:
        with pytest.raises(TokenInvalid):
            licenses.verify(GOOD, broken, MODULE, ISSUER, NOW)


def test_a_public_key_set_holds_no_private_part() -> None:
    public = tokens.public_jwk(KEY, tochka_whpk="whpk_x")
    assert "d" not in public
    assert {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA"}.items() <= public.items()
    assert public["tochka_whpk"] == "whpk_x"


@pytest.mark.parametrize("text", ["", "{}", "[]", "x", json.dumps(tokens.public_jwk(KEY))])
def test_reading_a_key_that_is_none_does_not_repeat_it(text: str) -> None:
    with pytest.raises(ValueError, match="not an Ed25519 private JWK") as caught:
        tokens.read_key(text)
    assert caught.value.__cause__ is None


def test_a_key_of_another_curve_is_refused() -> None:
    other = OKPKey.generate_key("X25519")
    with pytest.raises(ValueError, match="not an Ed25519 private JWK"):
        tokens.read_key(json.dumps(other.as_dict(private=True)))


def test_a_ticket_survives_the_journey() -> None:
    original = a_ticket(role="staff", locale="en", name="Анна")
    assert tickets.verify(tickets.sign(original, KEY), JWKS, MODULE, ISSUER, NOW) == original


@pytest.mark.parametrize(
    ("after", "is_good"), [(-6, False), (-4, True), (0, True), (59, True), (60, False), (3600, False)]
)
def test_a_ticket_lives_for_a_minute(after: int, is_good: bool) -> None:
    token = tickets.sign(a_ticket(), KEY)
    moment = NOW + timedelta(seconds=after)
    if is_good:
        assert tickets.verify(token, JWKS, MODULE, ISSUER, moment).iat == T
    else:
        with pytest.raises(TicketInvalid):
            tickets.verify(token, JWKS, MODULE, ISSUER, moment)


@pytest.mark.parametrize(
    "changes",
    [{"aud": "courses"}, {"iss": "https://evil.example"}, {"exp": T + 10**6}],
)
def test_spoilt_tickets_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid):
        tickets.verify(tickets.sign(a_ticket(**changes), KEY), JWKS, MODULE, ISSUER, NOW)


def test_a_license_is_no_ticket() -> None:
    with pytest.raises(TicketInvalid):
        tickets.verify(GOOD, JWKS, MODULE, ISSUER, NOW)


def test_a_ticket_with_a_strange_role_is_refused() -> None:
    claims = {**a_ticket().model_dump(mode="json"), "role": "root"}
    token = _forge({"alg": "Ed25519", "typ": "ticket+jwt", "kid": KEY.kid}, claims)
    with pytest.raises(TicketInvalid):
        tickets.verify(token, JWKS, MODULE, ISSUER, NOW)


def test_a_license_that_could_not_hold_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="in this order"):
        a_license(exp=T - 1)


def test_a_license_issued_seconds_in_the_future_is_tolerated() -> None:
    token = licenses.sign(a_license(iat=T + 20), KEY)
    assert licenses.verify(token, JWKS, MODULE, ISSUER, NOW).iat == T + 20
    with pytest.raises(LicenseInvalid):
        licenses.verify(token, JWKS, MODULE, ISSUER, NOW - timedelta(seconds=20))
