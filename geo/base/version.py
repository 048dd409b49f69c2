"""Which version of Vasti this is; `pyproject.toml` says it, and nothing else does."""

from importlib import metadata


def vasti_version() -> str:
    """The version, such as 0.2.0; 0 in a source tree that is not installed."""
    try:
        return metadata.version("vasti")
    except metadata.PackageNotFoundError:
        return "0"
