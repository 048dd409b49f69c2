"""docs/operating.md names every setting there is, and none there is not."""

import re

from geo.settings import Settings
from tests.support.project import ROOT


def test_operating_lists_every_setting() -> None:
    text = (ROOT / "docs" / "operating.md").read_text()
    listed = re.findall(r"^\| `(VASTI_\w+)` \|", text, flags=re.MULTILINE)
    assert listed == [f"VASTI_{name.upper()}" for name in Settings.model_fields]
