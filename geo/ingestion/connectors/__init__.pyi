from .http_server import Server as Server
from .kobo import Asset as Asset
from .odk import CentralForm as CentralForm
from .odk import sign_in as sign_in
from .snapshot import Pages as Pages
from .snapshot import discard as discard
from .snapshot import pull_folder as pull_folder
from .snapshot import write_snapshot as write_snapshot
