"""A worker that does what is in the queue, and ends."""

import asyncio

from geo import database
from geo.settings import Settings
from service.work import jobs


def work_off(url: str, settings: Settings) -> None:
    """Does what is in the queue now, and ends."""
    engine = database.create_engine(url)
    try:
        asyncio.run(jobs.work_once(url, engine, settings, wait=False))
    finally:
        engine.dispose()
