"""KoboToolbox: every submission of an asset, by its API v2."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from geo.errors import AnswerUnusable
from geo.ingestion.connectors.http_server import Server
from geo.ingestion.connectors.snapshot import Flat, Pages, flat
from geo.ingestion.mapping import Form
from geo.ingestion.mapping.forms.form import form_of_content
from geo.messages import Message

_PAGE_ROWS = 1000
_ROUNDS = 3
_DROPPED = ("_attachments", "_downloads")
"""Addresses of files, which may differ with every answer though nothing was edited."""


@dataclass(frozen=True)
class Asset:
    """One form of a KoboToolbox server."""

    server: Server
    uid: str

    @property
    def source(self) -> str:
        """What the asset is known by, from pull to pull."""
        return f"kobo {self.server.url} {self.uid}"

    @property
    def file_name(self) -> str:
        """What a snapshot of it is called."""
        return f"kobo-{self.uid}.csv"

    def form(self) -> Form | None:
        """The form as it is at the server; None where it holds no questions.

        Raises:
            FormInvalid: it contradicts itself.
        """
        asset = self.server.get_json(f"/api/v2/assets/{self.uid}/", {"format": "json"}, what=self._named)
        content = asset.get("content") if isinstance(asset, dict) else None
        return form_of_content(f"asset {self.uid}", content) if content and content.get("survey") else None

    def fetch(self, pages: Pages) -> None:
        """Fetches what is not there yet, and asks at the end whether all is.

        A page is what comes after the last `_id`: a submission that is deleted meanwhile moves no other. However few
        rows the server gives, the next question goes on behind them.

        Raises:
            AnswerUnusable: what is given is no page of submissions, or their number does not hold still.
        """
        for _ in range(_ROUNDS):
            pages.begin({})
            last = pages.last()
            after = int(last[-1]["_id"]) if last else None
            while True:
                rows, count = self._page(after, _PAGE_ROWS)
                if rows:
                    pages.add(rows)
                    after = int(rows[-1]["_id"])
                if len(rows) >= count:
                    break
                if not rows:
                    raise AnswerUnusable("submissions_withheld", host=self._host, submissions=count)
            fetched = sum(len(page) for page in pages)
            total = self._page(None, 1)[1]
            if total == fetched:
                return
            if total < fetched:
                # Submissions were deleted while the others were read: nothing tells which, so all are read again.
                pages.clear()
        raise AnswerUnusable("submissions_changing", host=self._host, pulls=_ROUNDS)

    @property
    def _named(self) -> Message:
        return Message("wanted_asset", asset=self.uid)

    @property
    def _host(self) -> str:
        return self.server.url.host

    def _page(self, after: int | None, limit: int) -> tuple[list[dict[str, Any]], int]:
        """Submissions behind an `_id` in its order, and how many there are behind it."""
        params = {"format": "json", "limit": str(limit), "start": "0", "sort": json.dumps({"_id": 1})}
        if after is not None:
            params["query"] = json.dumps({"_id": {"$gt": after}})
        answer = self.server.get_json(f"/api/v2/assets/{self.uid}/data/", params, what=self._named)
        try:
            rows, count = list(answer["results"]), int(answer["count"])
            ids = [int(row["_id"]) for row in rows]
        except (KeyError, TypeError, ValueError) as error:
            raise AnswerUnusable("submissions_not_of_kobo", host=self._host) from error
        if any(b <= a for a, b in zip([after if after is not None else -1, *ids], ids, strict=False)):
            raise AnswerUnusable("submissions_repeating", host=self._host)
        return rows, count

    def submissions(self, page: list[dict[str, Any]]) -> Iterator[tuple[str, Flat]]:
        """The submissions of a page by the key that stays with them when they are edited."""
        for submission in page:
            row = {name: value for name, value in submission.items() if name not in _DROPPED}
            status = row.pop("_validation_status", None)
            if isinstance(status, dict):
                row["_validation_status"] = status.get("uid") or status.get("label")
            place = row.pop("_geolocation", None)
            if isinstance(place, list) and len(place) == 2 and None not in place:
                row["_geolocation"] = f"{place[0]} {place[1]}"
            columns = flat(row)
            key = next((columns[n] for n in ("meta/rootUuid", "rootUuid", "_uuid") if n in columns), str(row["_id"]))
            yield key.removeprefix("uuid:"), columns
