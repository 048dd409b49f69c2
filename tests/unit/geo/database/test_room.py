"""What is left on a disk, and quotas."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from geo.database import check_disk, check_quota
from geo.errors import StorageFull


class Disk(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(
    ("total", "free", "wanted", "fits"),
    [
        (500 * 10**9, 3 * 10**9, 10**9, True),
        (500 * 10**9, 3 * 10**9, 2 * 10**9, True),
        (500 * 10**9, 3 * 10**9, 2 * 10**9 + 1, False),
        (500 * 10**9, 10**9 - 1, 0, False),
        # Of a small disk a fiftieth stays free.
        (3_000_000, 1_000_000, 940_000, True),
        (3_000_000, 1_000_000, 940_001, False),
    ],
)
def test_a_part_of_the_disk_stays_free(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, total: int, free: int, wanted: int, fits: bool
) -> None:
    asked: list[Path] = []

    def usage(path: Path) -> Disk:
        asked.append(path)
        return Disk(total, total - free, free)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    folder = tmp_path / "not" / "there" / "yet"
    if fits:
        check_disk(folder, wanted)
    else:
        with pytest.raises(StorageFull, match="There is no room left"):
            check_disk(folder, wanted)
    assert asked == [tmp_path]


def test_a_quota_is_said_with_what_to_do() -> None:
    check_quota(5_000_000, 5, "quota_of_parts")
    with pytest.raises(StorageFull) as full:
        check_quota(5_000_001, 5, "quota_of_parts")
    assert str(full.value) == (
        "With this file, the files you are sending would take more than 5 MB: finish one of them, or remove one."
    )
