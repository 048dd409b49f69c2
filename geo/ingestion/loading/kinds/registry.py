"""The registry: every kind of file that can be loaded. Another kind is another entry."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import create_model

from geo.errors import InvalidParameter, InvalidParameters
from geo.ingestion.findings import RULES
from geo.ingestion.loading.choices import Choices
from geo.ingestion.loading.kinds.boundaries import BoundaryFiles
from geo.ingestion.loading.kinds.facilities import FacilityFiles
from geo.ingestion.loading.kinds.kind import Kind
from geo.ingestion.loading.kinds.survey import SurveyFiles
from geo.ingestion.suggesting import NOTHING
from geo.messages import add_words

KINDS: dict[str, Kind[Any]] = {}
"""By the name that is stored with each upload, in the order in which forms list them."""


def register(kind: Kind[Any]) -> None:
    """Makes a kind of file known: to uploads, the API and the pages."""
    KINDS[kind.name] = kind
    RULES.update(kind.rules)
    add_words(kind.sentences, kind.findings)


for _kind in (BoundaryFiles(), SurveyFiles(), FacilityFiles()):
    register(_kind)

DEFAULT = SurveyFiles.name
"""What a file is of where nobody says."""


def choices_of(row: Any) -> Any:
    """The choices an upload keeps, as the model of its kind; `row` is the upload's."""
    return KINDS[row["content"]].choices.model_validate(row["choices"])


def every_choice() -> type[Choices]:
    """A model of the choices of all kinds, as requests may have them."""
    return _model_of(tuple(kind.choices for kind in KINDS.values()))


@cache
def _model_of(choices: tuple[type[Choices], ...]) -> type[Choices]:
    return create_model("Choices", __base__=choices, __doc__=Choices.__doc__)


def checked_choices(kind: Kind[Any], given: Choices) -> Any:
    """What was chosen of a file, as the model of its kind; `given` is an `every_choice`.

    Raises:
        InvalidParameters: some of it cannot be chosen of such a file.
    """
    own = kind.choices.model_fields
    kept = given.kept()
    wrong = [
        InvalidParameter(name, "choice_of_other_kinds", kinds=_kinds_with(name)) for name in kept if name not in own
    ]
    fields = {field for _, group in kind.fields for field in group}
    for field in given.columns.values():
        if field not in (*fields, NOTHING):
            wrong.append(InvalidParameter("columns", "column_holds_unknown", field=field, noun=kind.words.column))
    choices = kind.choices.model_validate({name: value for name, value in kept.items() if name in own})
    wrong += [InvalidParameter("columns", reason) for reason in kind.check(choices)]
    if wrong:
        raise InvalidParameters(wrong)
    return choices


def _kinds_with(choice: str) -> list[str]:
    return [kind.name for kind in KINDS.values() if choice in kind.choices.model_fields]


def all_choices(row: Any) -> Mapping[str, Any]:
    """What an upload keeps beside what other kinds of files would have, as answers tell it; `row` is the upload's."""
    return every_choice().model_validate(row["choices"]).model_dump(mode="json")
