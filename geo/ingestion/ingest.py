"""The story of a load: a file of boundaries or of observations becomes rows, findings, tallies and a new data version.

Everything here runs in the caller's transaction, which the caller commits or rolls back as one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from geoalchemy2.shape import from_shape
from numpy.typing import NDArray
from sqlalchemy import Connection, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from geo.crs import STORAGE_SRID
from geo.errors import Conflict, FileHasErrors, InputError, NotFound
from geo.indicators.catalogue import catalogue
from geo.indicators.tally_frame import FrameTally
from geo.ingestion import originals, store
from geo.ingestion.boundaries import Boundaries, read_boundaries
from geo.ingestion.findings import Findings
from geo.ingestion.formats import ReadOptions, bundle
from geo.ingestion.mapping import Observations
from geo.ingestion.observe import Progress, Reading, SourceOptions, Unit, observe
from geo.ingestion.placement import Places
from geo.ingestion.profile import BoundaryColumns, Profile
from geo.schema.places import boundary, city, organisation, settlement, ward
from geo.schema.surveys import survey
from geo.schema.uploads import upload
