"""Standard Webhooks: what the published library makes we accept, what we make it accepts, and garbage is a
clean 401.
"""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
import svix
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook
from tochka_sdk import clock, webhooks
from tochka_sdk.webhooks import SignatureInvalid

SECRET = webhooks.generate_secret()
PRIVATE, PUBLIC = webhooks.generate_keypair()
BODY = json.dumps({"тип": "ping"}).encode()


def unix() -> int:
    """The present in unix seconds."""
    return int(clock.now().timestamp())


def test_the_published_libraries_verify_what_we_sign() -> None:
    headers = webhooks.sign("evt_1", unix(), BODY, secret=SECRET, private_key=PRIVATE)
    assert Webhook(SECRET).verify(BODY, headers) == {"тип": "ping"}
    svix.Webhook(SECRET).verify(BODY, headers)


def test_we_verify_what_the_published_library_signs() -> None:
    moment = datetime.now(UTC)
    headers = {
        "Webhook-Id": "evt_1",
        "Webhook-Timestamp": str(int(moment.timestamp())),
        "Webhook-Signature": Webhook(SECRET).sign("evt_1", moment, BODY.decode()),
    }
    webhooks.verify(headers, BODY, secrets=[SECRET])


def test_every_request_carries_both_signatures_and_either_key_verifies() -> None:
    headers = webhooks.sign("evt_1", unix(), BODY, secret=SECRET, private_key=PRIVATE)
    versions = [entry.partition(",")[0] for entry in headers["webhook-signature"].split(" ")]
    assert versions == ["v1", "v1a"]
    webhooks.verify(headers, BODY, public_keys=[PUBLIC])
    webhooks.verify(headers, BODY, secrets=[SECRET])


def test_the_known_vector_of_the_specification_s_scheme() -> None:
    """HMAC-SHA256 over `id.timestamp.body` with the decoded secret, as the published examples have it."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = webhooks.sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', secret=secret
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_during_a_rotation_the_old_and_the_new_key_both_work() -> None:
    new_private, new_public = webhooks.generate_keypair()
    new_secret = webhooks.generate_secret()
    headers = webhooks.sign(
        "evt_1", unix(), BODY, secret=[new_secret, SECRET], private_key=[new_private, PRIVATE]
    )
    for key in (PUBLIC, new_public):
        webhooks.verify(headers, BODY, public_keys=[key])
    for secret in (SECRET, new_secret):
        webhooks.verify(headers, BODY, secrets=[secret])


def refused(headers: dict[str, str], body: bytes = BODY, **options: object) -> bool:
    """Whether verification refuses, by the one error it may raise."""
    keys: dict[str, object] = {"public_keys": [PUBLIC], "secrets": [SECRET], **options}
    try:
        webhooks.verify(headers, body, **keys)  # type: ignore[arg-type]  # the options of each test differ
    except SignatureInvalid:
        return True
    return False


GOOD = webhooks.sign("evt_1", 1_700_000_000, BODY, secret=SECRET, private_key=PRIVATE)
NOW = datetime.fromtimestamp(1_700_000_000, tz=UTC)
OTHER_PRIVATE, OTHER_PUBLIC = webhooks.generate_keypair()

TABLE = {
    "no headers": {},
    "no id": {"webhook-id": ""},
    "an id with a dot": {"webhook-id": "evt.1"},
    "an id with a space": {"webhook-id": "evt 1"},
    "an id that is not ASCII": {"webhook-id": "событие"},
    "another id": {"webhook-id": "evt_2"},
    "a very long id": {"webhook-id": "x" * 300},
    "no timestamp": {"webhook-timestamp": ""},
    "a timestamp with a fraction": {"webhook-timestamp": "1700000000.0"},
    "a timestamp with spaces": {"webhook-timestamp": " 1700000000"},
    "a timestamp with underscores": {"webhook-timestamp": "1_700_000_000"},
    "a timestamp in Arabic digits": {"webhook-timestamp": "١٧٠٠٠٠٠٠٠٠"},
    "an infinite timestamp": {"webhook-timestamp": "inf"},
    "a timestamp beyond all years": {"webhook-timestamp": "9" * 11},
    "another timestamp": {"webhook-timestamp": "1700000001"},
    "no signature": {"webhook-signature": ""},
    "a bare signature": {"webhook-signature": "AAAA"},
    "three parts": {"webhook-signature": "v1,AAAA,AAAA"},
    "bad base64": {"webhook-signature": "v1,@@@@ v1a,@@@@"},
    "bad padding": {"webhook-signature": "v1,A v1a,A"},
    "not ASCII": {"webhook-signature": "v1,ы"},
    "an empty signature": {"webhook-signature": "v1, v1a,"},
    "the signatures exchanged": {
        "webhook-signature": GOOD["webhook-signature"].replace("v1a,", "v0,").replace("v1,", "v1a,")
    },
    "too many before the good one": {"webhook-signature": "v1,AAAA " * 40 + GOOD["webhook-signature"]},
}


@pytest.mark.parametrize("change", TABLE.values(), ids=TABLE.keys())
def test_malformed_and_foreign_headers_are_refused(change: dict[str, str]) -> None:
    headers = {**GOOD, **change} if change else {}
    assert refused(headers, now=NOW)


def test_the_good_request_of_that_table_is_accepted() -> None:
    assert not refused(GOOD, now=NOW)
    assert not refused({name.title(): value for name, value in GOOD.items()}, now=NOW)
    assert not refused({**GOOD, "webhook-signature": "v9,AAAA ?? " + GOOD["webhook-signature"]}, now=NOW)


@pytest.mark.parametrize(("seconds", "is_refused"), [(299, False), (301, True), (-299, False), (-301, True)])
def test_requests_live_for_five_minutes_either_way(seconds: int, is_refused: bool) -> None:
    assert refused(GOOD, now=NOW + timedelta(seconds=seconds)) is is_refused


def test_a_changed_body_is_refused() -> None:
    assert refused(GOOD, BODY + b" ", now=NOW)
    assert refused(GOOD, b"\xff\xfe", now=NOW)


def test_keys_that_are_not_keys_match_nothing() -> None:
    for keys in ([], ["whpk_"], ["whpk_AAAA"], [SECRET], [PRIVATE], ["nonsense"], [OTHER_PUBLIC]):
        assert refused(GOOD, public_keys=keys, secrets=[], now=NOW)
    for secrets in ([], ["whsec_"], ["whsec_AAAA"], [PUBLIC], [PRIVATE], ["nonsense"]):
        assert refused(GOOD, public_keys=[], secrets=secrets, now=NOW)


def test_a_private_key_is_never_taken_for_a_shared_secret() -> None:
    with pytest.raises(ValueError, match="not a whsec_ key"):
        webhooks.sign("evt_1", unix(), BODY, secret=PRIVATE)


def test_signing_refuses_what_nobody_could_verify() -> None:
    for msg_id, timestamp in (("a.b", 1), ("", 1), ("é", 1), ("x" * 300, 1), ("x", -1)):
        with pytest.raises(ValueError, match=r"webhook id|timestamp"):
            webhooks.sign(msg_id, timestamp, BODY, secret=SECRET)
    with pytest.raises(ValueError, match="nothing to sign with"):
        webhooks.sign("x", 1, BODY)


def test_halves_of_different_keys_are_refused_and_a_seed_alone_is_read() -> None:
    raw = base64.b64decode(PRIVATE.removeprefix("whsk_"))
    other = base64.b64decode(OTHER_PRIVATE.removeprefix("whsk_"))
    mixed = "whsk_" + base64.b64encode(raw[:32] + other[32:]).decode()
    seed = "whsk_" + base64.b64encode(raw[:32]).decode()
    with pytest.raises(ValueError, match="do not belong together"):
        webhooks.public_key_of(mixed)
    with pytest.raises(ValueError, match="32 or 64 bytes"):
        webhooks.public_key_of("whsk_AAAA")
    assert webhooks.public_key_of(seed) == webhooks.public_key_of(PRIVATE) == PUBLIC


headers_of_all_kinds = st.dictionaries(
    st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "Webhook-Id", "x"]),
    st.one_of(st.text(), st.from_regex(r"v1a?,[A-Za-z0-9+/=]{0,90}( v1,.*)?"), st.from_regex(r"\d{9,12}")),
)


patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)


@patient
@given(headers=headers_of_all_kinds, body=st.binary(max_size=200))
def test_whatever_comes_in_the_answer_is_yes_or_a_clean_no(headers: dict[str, str], body: bytes) -> None:
    assert refused(headers, body)


@patient
@given(body=st.binary(max_size=500), msg_id=st.from_regex(r"[A-Za-z0-9_-]{1,60}", fullmatch=True))
def test_whatever_we_sign_we_verify(body: bytes, msg_id: str) -> None:
    headers = webhooks.sign(msg_id, 1_700_000_000, body, secret=SECRET, private_key=PRIVATE)
    assert not refused(headers, body, now=NOW)
