"""The clusters a sample was drawn by."""

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Connection, func, select

from geo.database.schema.surveys import stratum_frame
from geo.database.schema.tallies import tally
from geo.indicators.tallies import CLUSTERS, stratum_of


def sampled_clusters(connection: Connection, survey_ids: Sequence[int]) -> pd.DataFrame:
    """The clusters sampled in each stratum, in the base of an indicator or not, and the fraction of all they are."""
    named = connection.execute(
        select(tally.c.survey_id, tally.c.group_code)
        .where(tally.c.survey_id == func.any(list(survey_ids)), tally.c.group_field == CLUSTERS)
        .distinct()
    )
    codes = pd.DataFrame(named.all(), columns=["survey_id", "psu"])
    codes["stratum"] = [stratum_of(code) for code in codes["psu"]]
    sampled = codes.groupby(["survey_id", "stratum"]).size().rename("n_clusters").reset_index()
    frames = connection.execute(
        select(stratum_frame.c.survey_id, stratum_frame.c.stratum, stratum_frame.c.clusters).where(
            stratum_frame.c.survey_id == func.any(list(survey_ids))
        )
    )
    known = pd.DataFrame(frames.all(), columns=["survey_id", "stratum", "clusters"])
    sampled = sampled.merge(known, on=["survey_id", "stratum"], how="left")
    share = (sampled["n_clusters"] / sampled["clusters"].astype(float)).fillna(0.0)
    # A frame smaller than what was sampled cannot be right, and takes nothing off the variance.
    sampled["fraction"] = share.where(share <= 1, 0.0)
    return sampled.drop(columns="clusters")
