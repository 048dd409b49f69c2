"""ODK Central: every submission of a form, by its OData service."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from geo.errors import AnswerUnusable, NotFound
from geo.ingestion.connectors.http_server import Server
from geo.ingestion.connectors.snapshot import Flat, Pages, flat
from geo.ingestion.mapping import Form, read_form
from geo.messages import Message

_PAGE_ROWS = 1000
_ROUNDS = 3


def sign_in(server: Server, email: str, password: str) -> None:
    """Signs in with a web user's account.

    Raises:
        AccessRefused: the account or its password is not right.
    """
    session = server.post_json("/v1/sessions", {"email": email, "password": password}, what=Message("wanted_session"))
    if not isinstance(session, dict) or not isinstance(session.get("token"), str):
        raise AnswerUnusable("server_no_odk_central", host=server.url.host)
    server.sign(f"Bearer {session['token']}")


@dataclass(frozen=True)
class CentralForm:
    """One form of a project of ODK Central."""

    server: Server
    project: int
    form_id: str

    @property
    def source(self) -> str:
        """What the form is known by, from pull to pull."""
        return f"odk {self.server.url} {self.project} {self.form_id}"

    @property
    def file_name(self) -> str:
        """What a snapshot of it is called."""
        return f"odk-{self.project}-{''.join(c if c.isalnum() else '_' for c in self.form_id)}.csv"

    def form(self, folder: Path) -> Form | None:
        """The XLSForm the form was made from; None where Central has none, for a form may be uploaded as XML."""
        try:
            workbook = self.server.get_file(f"{self._path}.xlsx", what=self._named)
        except NotFound:
            return None
        path = folder / f"{self.form_id}.xlsx".replace("/", "_")
        path.write_bytes(workbook)
        try:
            return read_form(path)
        finally:
            path.unlink()

    @property
    def _path(self) -> str:
        return f"/v1/projects/{self.project}/forms/{quote(self.form_id, safe='')}"

    @property
    def _named(self) -> Message:
        return Message("wanted_form", form=self.form_id, project=self.project)

    def fetch(self, pages: Pages) -> None:
        """Fetches the pages that are not there yet, of what had been sent when the pull began.

        Raises:
            AnswerUnusable: what is given is no page of submissions, pages go in circles, or their number changes.
        """
        for _ in range(_ROUNDS):
            begun = pages.begin({"at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.999Z")})
            asked: Mapping[str, str] | None = {
                "$top": str(_PAGE_ROWS),
                "$count": "true",
                "$expand": "*",
                "$filter": f"__system/submissionDate le {begun['at']}",
            }
            fetched, count, seen = 0, None, set()
            for page in pages:
                asked, fetched = page["next"], fetched + len(page["rows"])
                count = page["count"]
            while asked is not None:
                if tuple(sorted(asked.items())) in seen:
                    raise AnswerUnusable("submissions_in_circles", host=self.server.url.host)
                seen.add(tuple(sorted(asked.items())))
                page = self._page(asked)
                pages.add(page)
                asked, fetched, count = page["next"], fetched + len(page["rows"]), page["count"]
            if fetched == count:
                return
            # A submission was deleted or restored while the others were read: all are read again.
            pages.clear()
        raise AnswerUnusable("submissions_changing", host=self.server.url.host, pulls=_ROUNDS)

    def _page(self, params: Mapping[str, str]) -> dict[str, Any]:
        answer = self.server.get_json(f"{self._path}.svc/Submissions", params, what=self._named)
        try:
            rows, count = list(answer["value"]), int(answer["@odata.count"])
            following = answer.get("@odata.nextLink")
            if not all(isinstance(row["__id"], str) for row in rows):
                raise TypeError
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise AnswerUnusable("submissions_not_of_odk", host=self.server.url.host) from error
        # Only what it asks for is taken from the link, not where to: the token stays with its host.
        following = None if following is None else dict(parse_qsl(urlsplit(str(following)).query))
        return {"rows": rows, "count": count, "next": following}

    def submissions(self, page: Mapping[str, Any]) -> Iterator[tuple[str, Flat]]:
        """The submissions of a page by their key, without those that were deleted."""
        for submission in page["rows"]:
            if (submission.get("__system") or {}).get("deletedAt"):
                continue
            answers = {name: value for name, value in submission.items() if "@odata." not in name}
            yield submission["__id"].removeprefix("uuid:"), flat(answers)
