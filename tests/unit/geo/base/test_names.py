"""Names that people would call the same are the same, and others are not."""

import pytest

from geo.base import fold_name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("  Ñembý, Villa-Rosa ", "NEMBY VILLA ROSA"),
        ("Núcleo Japuí (2)", "nucleo_japui 2"),
        ("Straße", "STRASSE"),
        ("गांधी-नगर", "गांधी नगर"),
    ],
)
def test_fold_name_is_alike(one: str, other: str) -> None:
    assert fold_name(one) == fold_name(other)


@pytest.mark.parametrize(
    ("one", "other"), [("गांधीनगर", "गांधनगर"), ("Villa 31", "Villa 3 1"), ("San José", "San Josefa")]
)
def test_fold_name_is_different(one: str, other: str) -> None:
    assert fold_name(one) != fold_name(other)
