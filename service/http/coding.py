"""Content codings: answers compressed for readers who can take them so (RFC 9110, 12.5.3)."""

import gzip
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import pyarrow as pa

Coding = Literal["br", "gzip"]

CODINGS: tuple[Coding, ...] = ("br", "gzip")
"""What is offered, the smallest first. Every browser takes both, brotli over TLS; other programs mostly take gzip."""

MIN_BYTES = 1_000
"""Less goes in one packet anyhow."""

# Higher levels take several times as long, and save little of figures and outlines.
_BROTLI_LEVEL = 4
_GZIP_LEVEL = 6


@lru_cache(maxsize=64)
def chosen(accepted: str) -> Coding | None:
    """The coding a reader who sends this Accept-Encoding likes best; None: the bytes as they are."""
    weights = _weights(accepted)
    others = weights.get("*", 0.0)
    best = max(CODINGS, key=lambda coding: weights.get(coding, others))
    weight = weights.get(best, others)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else None


def _weights(accepted: str) -> Mapping[str, float]:
    """How much a reader wants each coding it names; what is no weight wants it not at all."""
    weights = {}
    for part in accepted.split(","):
        name, *parameters = (word.strip().lower() for word in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter.removeprefix("q="))
                except ValueError:
                    weight = 0.0
        if name:
            weights[name] = weight
    return weights


def compressed(body: bytes, coding: Coding) -> bytes:
    """A body in a coding, the same each time."""
    if coding == "gzip":
        return gzip.compress(body, _GZIP_LEVEL, mtime=0)
    return bytes(pa.Codec("brotli", compression_level=_BROTLI_LEVEL).compress(body, asbytes=True))
