"""Every table, imported once so that the metadata is whole."""

from geo.schema.base import metadata
from geo.schema.facilities import facility
from geo.schema.people import household
from geo.schema.places import boundary, city, organisation, settlement, ward
from geo.schema.surveys import data_version, stratum_frame, survey, survey_frame
from geo.schema.uploads import finding, upload
from geo.schema.values import own_indicator, pair_tally, paired, tallied, tally

__all__ = [
    "boundary",
    "city",
    "data_version",
    "facility",
    "finding",
    "household",
    "metadata",
    "organisation",
    "own_indicator",
    "pair_tally",
    "paired",
    "settlement",
    "stratum_frame",
    "survey",
    "survey_frame",
    "tallied",
    "tally",
    "upload",
    "ward",
]
