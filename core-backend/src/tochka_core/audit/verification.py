"""The verification: walks the chain from its first seal, recomputes everything, and tells what is not as it
was sealed.

The newest seal must be signed with one of the platform's keys. It holds the hash of the one before it, and so
vouches for the whole chain; and the chain names the keys of the seals before it (`keys.rotated`), which may
be long forgotten otherwise. Memory does not grow with the trail: twenty seals are looked at at a time.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from tochka_sdk import tokens
from tochka_sdk.db import Connections
from tochka_sdk.tokens import TokenInvalid, UnknownKey

from tochka_core.audit import repository, seals
from tochka_core.audit.checkpoints import Kept
from tochka_core.audit.seals import Head, Seal

REASON = "verifies the audit trail of all tenants"
Entries = Mapping[UUID, Mapping[str, Any]]


class Verification:
    """One run. `published` are the platform's public keys for checkpoints; `kept` were kept elsewhere."""

    def __init__(
        self, connections: Connections, published: Sequence[Mapping[str, Any]], kept: Sequence[Kept] = ()
    ) -> None:
        self._connections = connections
        self._published = {"keys": list(published)}
        self._known = {"keys": list(published)}
        self._kept = kept
        self._differ: set[Kept] = set()
        self._doubtful: tuple[int, int] | None = None
        self.head = Head()
        self.waiting = 0
        self.unchecked: list[str] = []
        """Sentences about what could not be checked."""

    async def findings(self) -> AsyncIterator[str]:
        """A sentence for everything that is wrong, as it is found."""
        async with self._connections.system(REASON) as connection:
            self.waiting = await repository.count_waiting(connection)
            end, _ = await repository.find_end(connection)
        newest: Seal | None = None
        async for seal, entries in self._seals(0, end.position):
            for finding in (*self._link(seal), *self._content(seal, entries), *self._signature(seal)):
                yield finding
            self._compare(seal)
            self.head, newest = seal.head, seal
        async for finding in self._signatures_in_doubt():
            yield finding
        if newest is not None and self._doubtful is None:
            for finding in self._newest(newest):
                yield finding
        for finding in self._checkpoints():
            yield finding
        async for finding in self._places():
            yield finding

    async def _seals(self, after: int, last: int) -> AsyncIterator[tuple[Seal, Entries]]:
        """The seals behind a position with their entries, a few at a time, each time in a transaction of its
        own: nothing waits for the end of a long one.
        """
        while after < last:
            async with self._connections.system(REASON) as connection:
                page = await repository.list_seals(connection, after, last)
                ids = [entry_id for seal in page for entry_id in seal.entry_ids]
                entries = await repository.list_sealed(connection, ids)
            for seal in page:
                yield seal, entries
            after = page[-1].position if page else last

    def _link(self, seal: Seal) -> Iterator[str]:
        """Whether it follows the one before it."""
        position, before = seal.position, self.head
        if position != before.position + 1:
            first, last = before.position + 1, position - 1
            yield f"Seal {first} is missing." if first == last else f"Seals {first} to {last} are missing."
        elif seal.previous_hash != before.hash:
            yield f"Seal {position} does not follow seal {before.position}: it holds the hash of another one."
        elif seal.first_number != before.entries + 1:
            yield (
                f"Seal {position} begins with entry number {seal.first_number}, "
                f"and the seal before it ends with number {before.entries}."
            )

    def _content(self, seal: Seal, entries: Entries) -> Iterator[str]:
        """Whether it holds what was sealed, and the entries are what it holds."""
        for index, entry_id in enumerate(seal.entry_ids):
            number = seal.first_number + index
            name = f"Entry {entry_id} (number {number}, seal {seal.position})"
            entry = entries.get(entry_id)
            if entry is None:
                yield f"{name} is missing."
            elif seals.leaf_of(number, entry) != seal.leaf(index):
                yield f"{name} was changed after it was sealed."
            else:
                self._learn(entry)
                if entry["action"] == "trail.doubted":
                    yield (
                        f"Seal {seal.position - 1} was not one of the platform's "
                        f"when seal {seal.position} was put on it."
                    )
        if seal.hash_of_content() != seal.hash:
            yield f"Seal {seal.position} was changed: its hash is not that of what it holds."

    def _learn(self, entry: Mapping[str, Any]) -> None:
        """The key that an entry names, called by its thumbprint, so that no other can be called the same."""
        data = entry["data"]
        if entry["action"] != "keys.rotated" or not isinstance(data, dict) or data.get("purpose") != "audit":
            return
        with suppress(TokenInvalid):  # whoever may add an entry may write nonsense
            jwk = tokens.public_jwk(tokens.key_of({"x": str(data.get("public"))}))
            if all(jwk["kid"] != known["kid"] for known in self._known["keys"]):
                self._known["keys"].append(jwk)

    def _signature(self, seal: Seal) -> Iterator[str]:
        """Whether the platform has signed it; a key that nobody knows yet may be named further on."""
        try:
            claims = tokens.verify(seal.checkpoint, self._known, typ=seals.CHECKPOINT)
        except UnknownKey:
            first = seal.position if self._doubtful is None else self._doubtful[0]
            self._doubtful = (first, seal.position)
        except TokenInvalid:
            yield f"The signature of seal {seal.position} is not valid."
        else:
            if not claims.items() >= seals.claims_of(seal.head).items():
                yield f"The signature of seal {seal.position} is that of another content."

    async def _signatures_in_doubt(self) -> AsyncIterator[str]:
        """Look again at the seals whose keys were not known when they were met."""
        if self._doubtful is None:
            return
        first, last = self._doubtful
        self._doubtful = None
        async for seal, _ in self._seals(first - 1, last):
            try:
                tokens.verify(seal.checkpoint, self._known, typ=seals.CHECKPOINT)
            except UnknownKey:
                self._doubtful = (first, last)
                yield f"Seal {seal.position} is signed with a key that is none of the platform's."
            except TokenInvalid:
                continue  # told of before, or about to be known

    def _newest(self, seal: Seal) -> Iterator[str]:
        """Whether the seal that vouches for all is signed with a key that the platform has now."""
        try:
            tokens.verify(seal.checkpoint, self._published, typ=seals.CHECKPOINT)
        except UnknownKey:
            yield (
                f"Seal {seal.position}, the newest one, is signed with a key that the platform has no more. "
                "If its keys were thrown away just now, verify again when the worker has sealed once more."
            )
        except TokenInvalid:
            return  # told of before

    def _compare(self, seal: Seal) -> None:
        """Remember the checkpoints that say something else of a seal."""
        said = seals.claims_of(seal.head)
        self._differ |= {k for k in self._kept if k.seal == seal.position and k.claims != said}

    def _checkpoints(self) -> Iterator[str]:
        """What the checkpoints that were kept know better."""
        for kept in self._kept:
            where = f"the checkpoint in line {kept.line}"
            try:
                tokens.verify(kept.token, self._known, typ=seals.CHECKPOINT)
            except UnknownKey:
                self.unchecked.append(f"Neither the key file nor the trail knows the key of {where}.")
            except TokenInvalid:
                self.unchecked.append(f"The signature of {where} is not valid: it tells nothing.")
                continue
            if kept.seal > self.head.position:
                yield (
                    f"The trail was cut off: it ends with seal {self.head.position} and {self.head.entries} "
                    f"entries, and {where} tells of seal {kept.seal} and {kept.entries} entries."
                )
            elif kept in self._differ:
                yield f"Seal {kept.seal} is not the one of which {where} tells."

    async def _places(self) -> AsyncIterator[str]:
        """Entries that came in, or went, past the sealer."""
        async with self._connections.system(REASON) as connection:
            misplaced = await repository.list_misplaced(connection)
            gone = await repository.list_gone(connection)
        for entry_id, places in misplaced:
            if places:
                yield f"Entry {entry_id} has {places} places: it was sealed more than once."
            else:
                yield f"Entry {entry_id} was added: no seal holds it, and it does not wait for one."
        for entry_id in gone:
            yield f"Entry {entry_id} is missing: it waits for a seal, and is not there."
