"""Which addresses there are, which methods each takes, and which of them are for everybody."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from fastapi import APIRouter
from starlette.routing import Route, compile_path

PUBLIC_PATHS = ("/api/v1/", "/maps/")
"""Below these are public answers; beside them there are pages for people and what is for the operator."""


_FILES = re.compile(r"/api/v1/publications/[^/]+/[^/]+/[^/]+/download")


def is_file(path: str) -> bool:
    """Whether a file for everybody is at this address, which is sent from the disk."""
    return _FILES.fullmatch(path) is not None


@dataclass(frozen=True)
class _Address:
    pattern: re.Pattern[str]
    methods: frozenset[str]
    is_public: bool


@dataclass
class Addresses:
    """The addresses of the routers that were added."""

    _fixed: dict[str, list[_Address]] = field(default_factory=dict)
    _patterns: list[_Address] = field(default_factory=list)

    def add(self, router: APIRouter, prefix: str, *, public: bool) -> None:
        """Adds those of a router; `public`: they are for everybody, but for what is asked for in full."""
        for route in router.routes:
            assert isinstance(route, Route)  # noqa: S101 (no router includes another, or mounts anything)
            pattern, *_ = compile_path(prefix + route.path)
            address = _Address(pattern, frozenset(route.methods or ()), public)
            # Most have no part that differs: they are found by name, where each pattern would be held against the path.
            if route.param_convertors:
                self._patterns.append(address)
            else:
                self._fixed.setdefault(prefix + route.path, []).append(address)

    def first_parts(self) -> set[str]:
        """What the paths begin with."""
        patterns = [known.pattern.pattern.replace("\\", "") for known in self._patterns]
        return {path.removeprefix("^").split("/")[1].rstrip("$") for path in (*self._fixed, *patterns)}

    def methods(self, path: str) -> list[str]:
        """The methods an address takes, in the order of the alphabet; none where there is nothing."""
        found = {method for address in self._at(path) for method in address.methods}
        # The cache answers HEAD wherever GET is answered; of a public address a browser asks with OPTIONS beforehand.
        if "GET" in found:
            found.add("HEAD")
        if any(address.is_public for address in self._at(path)):
            found.add("OPTIONS")
        return sorted(found)

    def is_public(self, path: str) -> bool:
        """Whether an address is for everybody, or there is nothing, which everybody may know."""
        is_there = False
        for address in self._at(path):
            if address.is_public:
                return True
            is_there = True
        return not is_there and path.startswith(PUBLIC_PATHS)

    def _at(self, path: str) -> Iterator[_Address]:
        yield from self._fixed.get(path, ())
        yield from (address for address in self._patterns if address.pattern.match(path))
