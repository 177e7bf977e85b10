"""Who makes the generated requests, and what real things stand in those that are meant to be understood."""

import time
from collections import Counter
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
from schemathesis import Case, Response
from schemathesis.generation import GenerationMode

from core_kit.activation import unique_label
from core_kit.passwords import PASSWORD
from core_kit.people import API, unique_phone
from core_kit.scene import Side

AnyCase = Case[Any]
MODULES = f"{API}/module/"
ACTORS = {
    f"{API}/me/invitations": "guest",
    f"{API}/tenants/{{tenant_id}}/handover/accept": "heir",
    f"{API}/tenants/{{tenant_id}}/handover/decline": "heir",
}
ENDING = ("end_session", "end_sessions", "sign_out")
"""Operations after which whoever asked may be signed out."""


@dataclass
class Visit:
    """One operation's requests to the process at `url`, about the things of one tenant.

    `answers` are the statuses of all, `operation` is its `operationId`; `resend_s` is how soon a code can be
    sent again.
    """

    url: str
    side: Side
    answers: Counter[int] = field(default_factory=Counter)
    operation: str = ""
    resend_s: float = 1.0
    _tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    _resendable: str = ""

    def __post_init__(self) -> None:
        self._http = httpx.Client(base_url=self.url, timeout=20)

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def headers(self, case: AnyCase) -> dict[str, str]:
        """What says who asks, for an operation that wants to know."""
        if "security" not in case.operation.definition.raw:
            return {}
        return {"Authorization": f"Bearer {self._token(case)}"}

    def note(self, case: AnyCase, response: Response) -> None:
        """Count an answer, and sign in anew should that have been the end of the session."""
        self.answers[response.status_code] += 1
        self.operation = case.operation.definition.raw["operationId"]
        if response.status_code < 300 and self.operation in ENDING:
            self._tokens.clear()

    def fill(self, case: AnyCase) -> None:
        """Put real ids, codes and tokens into a request, unless it is meant to be wrong."""
        if not _is_meant_well(case):
            return
        if case.operation.definition.raw["operationId"] == "reauthenticate":
            case.body = self._one_way()
        real = self._real(case)
        for place in (case.path_parameters, case.query, case.headers, case.body):
            if isinstance(place, MutableMapping):
                place.update({name: real[name] for name in place if name in real and place[name] is not None})
        headers: MutableMapping[str, Any] = case.headers
        if key := headers.get("Idempotency-Key"):
            headers["Idempotency-Key"] = f"{key[:200]}{uuid4()}"  # or it would be of another request

    def _real(self, case: AnyCase) -> dict[str, Any]:
        """What is called how, for this operation."""
        operation, ids = case.operation.definition.raw["operationId"], self.side.ids
        real: dict[str, Any] = {
            **ids,
            "X-Tenant-ID": ids["tenant_id"],
            "token": ids["invitation_token"],
            "module_id": self.side.module.id,
        }
        if case.operation.path.startswith(MODULES) and case.operation.method == "post":
            real["installation_id"] = ids["pending_id"]
        if operation == "remove_member":
            real["user_id"] = ids["heir_id"]
        if operation == "confirm_challenge":
            real["challenge_id"], real["code"] = self._challenge(unique_phone())
        if operation == "resend_challenge":
            real["challenge_id"] = self._old_challenge()
        if operation in ("refresh", "sign_out"):
            real["refresh_token"] = self._sign_in("owner")["refresh_token"]
        if operation == "end_session":
            sessions = self._http.get(f"{API}/me/sessions", headers=self.headers(case)).json()
            real["session_id"] = sessions["items"][0]["id"]
        if operation == "login":
            self._set_password()
            real |= {"phone": self.side.owner.phone, "password": PASSWORD}
            return real
        if operation == "set_password":
            real |= {"password": PASSWORD, "current_password": PASSWORD}
            self._set_password()
        if "{change_id}" in case.operation.path:
            real |= self._change(operation)
        if "webhook" in operation:
            real["url"] = "https://example.com/webhooks"
        if operation == "activate_installation":
            real |= {"module": self.side.module.id, "plan": "start"}
        if self.answers.total() % 2:  # else what was invented is shown: a phone or a name that may be none
            real |= {"phone": unique_phone(), "subdomain": unique_label(), "label": unique_label()}
        return real

    def _token(self, case: AnyCase) -> str:
        path = case.operation.path
        if path.startswith(MODULES):
            return self.side.module.token()
        who = next((who for place, who in ACTORS.items() if path.startswith(place)), "owner")
        return str(self._sign_in(who)["access_token"])

    def _sign_in(self, who: str) -> dict[str, Any]:
        if who not in self._tokens:
            challenge_id, code = self._challenge(self.side.people[who].phone)
            path = f"{API}/auth/challenges/{challenge_id}/confirm"
            self._tokens[who] = self._http.post(path, json={"code": code}).raise_for_status().json()
        return self._tokens[who]

    def _as_owner(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """What the owner is answered to a request of our own."""
        bearer = {"Authorization": f"Bearer {self._sign_in('owner')['access_token']}"}
        answer = self._http.request(method, API + path, json=body, headers=bearer).raise_for_status()
        return answer.json() if answer.content else None

    def _set_password(self) -> None:
        self._as_owner("PUT", "/me/password", {"password": PASSWORD})

    def _one_way(self) -> dict[str, Any]:
        """To show again who one is: by a code or by the password, in turns."""
        if self.answers.total() % 2:
            self._set_password()
            return {"password": PASSWORD}
        phone = self._as_owner("GET", "/me")["phone"]
        asked = self._as_owner("POST", "/me/reauthentication/challenges", {"channel": "max"})
        return {"challenge_id": asked["challenge_id"], "code": self._shown(phone)}

    def _change(self, operation: str) -> dict[str, Any]:
        """A change of the owner's number, as far on its way as the operation wants it."""
        new, old = unique_phone(), self._as_owner("GET", "/me")["phone"]
        asked = self._as_owner("POST", "/me/phone-changes", {"phone": new, "channel": "max"})
        change_id, code = asked["challenge_id"], self._shown(new)
        if operation == "confirm_phone_change":
            return {"change_id": change_id, "code": code}
        self._as_owner("POST", f"/me/phone-changes/{change_id}/confirm", {"code": code})
        if operation != "confirm_old_phone":
            return {"change_id": change_id}
        asked = self._as_owner("POST", f"/me/phone-changes/{change_id}/old-phone", {"channel": "max"})
        return {"change_id": change_id, "challenge_id": asked["challenge_id"], "code": self._shown(old)}

    def _old_challenge(self) -> str:
        """One whose code may be sent again."""
        if not self._resendable:
            self._resendable, _ = self._challenge(unique_phone())
            time.sleep(self.resend_s)
        return self._resendable

    def _challenge(self, phone: str) -> tuple[str, str]:
        body = {"phone": phone, "channel": "max", "token_delivery": "body"}
        asked = self._http.post(f"{API}/auth/challenges", json=body).raise_for_status()
        return asked.json()["challenge_id"], self._shown(phone)

    def _shown(self, phone: str) -> str:
        """The newest code that went to a phone."""
        shown = self._http.get(f"{API}/dev/inbox", params={"phone": phone}, headers={"Host": "localhost"})
        return str(shown.raise_for_status().json()[0]["code"])


def _is_meant_well(case: AnyCase) -> bool:
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
