"""What each command does, in a line: the help tells it without importing any of them."""

TOLD = {
    "city": "Cities.",
    "load": "Load files: settlement boundaries, surveys, facilities.",
    "settlement": "Settlements: ending, reopening.",
    "kobo": "KoboToolbox.",
    "odk": "ODK Central.",
    "publish": "Publish a survey round: its figures and maps can be read by anybody, its households by nobody.",
    "withdraw": "Take back an upload of a survey or of facilities: its rows no longer count, and those it had "
    "replaced do.",
    "survey": "What is kept with a round's rows.",
    "account": "Accounts: add, list, change; links that set a password; API keys.",
    "grant": "Share a survey's full figures with another organisation, such as a city.",
    "audit": "Print what was done, by whom and when.",
    "values": "Print figures: value, interval, answering and unknown households, unserved; drafts included.",
    "changes": "Print how figures changed from one round to another, with the interval of the change.",
    "gaps": "Rank settlements by need: unserved, coverage, households to a target, hot spots; drafts included.",
    "trends": "Print the trend of each figure over three rounds or more, in points a year; drafts included.",
    "map": "Maps: one HTML file each, which needs no network.",
    "indicators": "Indicators: check and add your own, list and show all.",
    "suggest": "Propose a mapping profile for a file, and say for each column how sure that is and why.",
    "assess": "Make every figure and a map from two files, with no database and no server.",
    "sample": "Write the files of a made-up city of any size; the same options write the same files.",
    "demo": "Load the sample city, print its figures, write its coverage map and serve both.",
    "serve": "Serve the API and the maps until Ctrl-C, with a worker beside them unless VASTI_WORKER is false.",
    "worker": "Work off the queue until Ctrl-C: files sent to the service, and figures a new version of Vasti "
    "defines anew.",
    "db": "The database: start, stop, look at, upgrade, back up and restore.",
}
"""By command; each is the first line of its own help."""
