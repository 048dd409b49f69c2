"""A source: a file of observations with the profile, the form and the options it is read by, ready to be mapped."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from geo.base import Extent
from geo.errors import ProfileInvalid
from geo.fields import Unit
from geo.ingestion.findings import Findings
from geo.ingestion.mapping import Form, Mapper, Profile, standard_profile_of
from geo.ingestion.mapping.forms.exports import canonical_layer
from geo.ingestion.mapping.forms.submissions import Submissions
from geo.ingestion.placing import GPS_TOLERANCE_M, Placement
from geo.ingestion.reading import Batch, Layer, ReadOptions, check_crs, open_layer, without_reasons


@dataclass(frozen=True)
class SourceOptions:
    """How to read a file of observations."""

    read: ReadOptions = field(default_factory=ReadOptions)
    profile: Profile | None = None
    """None: the columns carry the standard names."""
    unit: Unit = "household"
    placement: Placement | None = None
    """None: by declared settlement for a settlement-unit file, else by position, then declared."""
    tolerance_m: float = GPS_TOLERANCE_M
    fix: bool = False
    """Correct positions that are certain to be swapped or to have lost a sign."""
    starts_on: date | None = None
    ends_on: date | None = None
    form: Form | None = None
    """The form the file is an export of."""
    keep: tuple[str, ...] = ()
    """Columns to keep, though they seem to be about persons, beside those the profile names."""
    leave_out: tuple[str, ...] = ()
    """Columns not to keep, beside those the profile names."""
    tell_answers: bool = False
    """Count every answer, to be shown with its meaning before the file is loaded."""


@dataclass(frozen=True)
class Source:
    """A file open for reading once."""

    layer: Layer
    profile: Profile
    mapper: Mapper
    submissions: Submissions

    def batches(self, findings: Findings) -> Iterator[tuple[int, Batch]]:
        """The rows to map, batch by batch, and how many there were before a reviewer's rejections were left out."""
        for batch in self.layer.batches:
            yield len(batch.row_numbers), self.submissions.admit(batch, findings)


@contextmanager
def open_source(path: Path, options: SourceOptions, city: Extent | None) -> Iterator[Source]:
    """Opens a file of observations; `city` says which CRS is likely where the file says none, and where codes lie.

    Raises:
        InputError: the file or the profile cannot be used; the message says what to do.
    """
    with open_layer(path, options.read) as opened:
        plain = without_reasons(opened)
        named = plain if options.form is None else canonical_layer(plain, options.form)
        submissions = Submissions(named, options.form)
        layer = submissions.layer
        check_crs(layer, options.read, city, path.name)
        profile = submissions.complete(options.profile or standard_profile_of(layer))
        profile = profile.choosing(options.keep, options.leave_out)
        if profile.shares and options.unit != "settlement":
            raise ProfileInvalid("shares_of_households", profile=profile.name)
        yield Source(layer, profile, Mapper(layer, profile, options.read, path.name, city), submissions)
