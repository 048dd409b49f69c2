"""Every table, imported once so that the metadata is whole."""

from geo.database.schema.access import account, api_key, password_link, session, sign_in_failure, survey_grant
from geo.database.schema.audit import audit
from geo.database.schema.base import metadata
from geo.database.schema.facilities import facility
from geo.database.schema.households import household
from geo.database.schema.places import boundary, city, city_request, organisation, settlement, settlement_ward, ward
from geo.database.schema.publications import (
    publication,
    publication_counts,
    publication_download,
    published_block,
    published_figure,
    published_pair,
    published_place,
)
from geo.database.schema.surveys import city_version, data_version, stratum_frame, survey, survey_frame
from geo.database.schema.tallies import own_indicator, pair_tally, paired, tallied, tally
from geo.database.schema.uploads import finding, incoming, remembered_profile, upload, upload_progress

__all__ = [
    "account",
    "api_key",
    "audit",
    "boundary",
    "city",
    "city_request",
    "city_version",
    "data_version",
    "facility",
    "finding",
    "household",
    "incoming",
    "metadata",
    "organisation",
    "own_indicator",
    "pair_tally",
    "paired",
    "password_link",
    "publication",
    "publication_counts",
    "publication_download",
    "published_block",
    "published_figure",
    "published_pair",
    "published_place",
    "remembered_profile",
    "session",
    "settlement",
    "settlement_ward",
    "sign_in_failure",
    "stratum_frame",
    "survey",
    "survey_frame",
    "survey_grant",
    "tallied",
    "tally",
    "upload",
    "upload_progress",
    "ward",
]
