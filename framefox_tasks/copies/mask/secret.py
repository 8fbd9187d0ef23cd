"""The secret that masked values depend on."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from secrets import token_bytes

from framefox_tasks.copies.mask.integers import Permutation
from framefox_tasks.errors import ConfigError

_BLOCK = 64  # bytes of SHA-256


class Secret:
    """Makes digests: the same from the same value, and nothing to be found out from them.

    Args:
        salt: The secret; None for one that nobody knows, so that another copy gives other values.

    Raises:
        ConfigError: The salt is empty.
    """

    def __init__(self, salt: str | bytes | None) -> None:
        if salt is not None and not salt:
            raise ConfigError(
                "The salt of the masks is empty: whoever knows a value could tell what it becomes.",
                hint="Set it to a long random text, or leave it out for one that is forgotten after the copy.",
            )
        key = token_bytes(32) if salt is None else salt.encode() if isinstance(salt, str) else salt
        key = (sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
        # HMAC's two states after the key: each digest goes on from copies of them, twice as fast as from the key.
        self._inner = sha256(bytes(byte ^ 0x36 for byte in key))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in key))

    def digest(self, text: bytes) -> bytes:
        """The HMAC-SHA256 of a text."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.digest()

    @cached_property
    def permutation(self) -> Permutation:
        """What makes other integers of integers."""
        return Permutation(self.digest)
