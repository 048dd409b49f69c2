"""Every command: where it is, and what it does in a line, which the help tells without importing any of them."""

from typing import NamedTuple


class Command(NamedTuple):
    """A command, or a group of them."""

    module: str
    """The module of this package that has it."""
    function: str
    """Its function there, or its group."""
    help: str
    """The first line of its own help."""


COMMANDS = {
    "city": Command("load", "city_app", "Cities."),
    "load": Command("load", "load_app", "Load files: settlement boundaries, surveys, facilities."),
    "settlement": Command("settlements", "settlement_app", "Settlements: ending, reopening."),
    "kobo": Command("pull", "kobo_app", "KoboToolbox."),
    "odk": Command("pull", "odk_app", "ODK Central."),
    "publish": Command(
        "load",
        "publish",
        "Publish a survey round: its figures and maps can be read by anybody, its households by nobody.",
    ),
    "publication": Command(
        "publications", "publication_app", "Publications: list, download and audit them, and take one back."
    ),
    "withdraw": Command(
        "load",
        "withdraw",
        "Take back an upload of a survey or of facilities: its rows no longer count, and those it had replaced do.",
    ),
    "survey": Command("stored", "survey_app", "What is kept with a round's rows."),
    "account": Command("accounts", "account_app", "Accounts: add, list, change; links that set a password; API keys."),
    "grant": Command("accounts", "grant", "Share a survey's full figures with another organisation, such as a city."),
    "audit": Command("accounts", "audit", "Print what was done, by whom and when."),
    "values": Command(
        "figures",
        "values",
        "Print figures: value, interval, answering and unknown households, unserved; drafts included.",
    ),
    "changes": Command(
        "figures", "changes", "Print how figures changed from one round to another, with the interval of the change."
    ),
    "gaps": Command(
        "priorities",
        "gaps",
        "Rank settlements by need: unserved, coverage, households to a target, hot spots; drafts included.",
    ),
    "trends": Command(
        "priorities",
        "trends",
        "Print the trend of each figure over three rounds or more, in points a year; drafts included.",
    ),
    "map": Command("figures", "map_app", "Maps: one HTML file each, which needs no network."),
    "indicators": Command("indicators", "indicators_app", "Indicators: check and add your own, list and show all."),
    "suggest": Command(
        "suggest", "suggest", "Propose a mapping profile for a file, and say for each column how sure that is and why."
    ),
    "assess": Command(
        "assess", "assess", "Make every figure and a map from two files, with no database and no server."
    ),
    "sample": Command(
        "sample", "sample", "Write the files of a made-up city of any size; the same options write the same files."
    ),
    "demo": Command("demo", "demo", "Load the sample city, print its figures, write its coverage map and serve both."),
    "serve": Command(
        "serve",
        "serve",
        "Serve the API and the maps until Ctrl-C, with a worker beside them unless VASTI_WORKER is false.",
    ),
    "worker": Command(
        "serve",
        "worker",
        "Work off the queue until Ctrl-C: files sent to the service, and figures a new version of Vasti defines anew.",
    ),
    "db": Command("db", "db_app", "The database: start, stop, look at, upgrade, back up and restore."),
}
"""By name, in the order of the help."""
