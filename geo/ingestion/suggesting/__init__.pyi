from .profile_text import write_profile as write_profile
from .proposal import DETAIL as DETAIL
from .proposal import NOTHING as NOTHING
from .proposal import TARGETS as TARGETS
from .proposal import Proposal as Proposal
from .proposal import Suggestion as Suggestion
from .suggest import suggest_profile as suggest_profile
