from .profile_text import write_profile as write_profile
from .suggest import DETAIL as DETAIL
from .suggest import NOTHING as NOTHING
from .suggest import TARGETS as TARGETS
from .suggest import Proposal as Proposal
from .suggest import Suggestion as Suggestion
from .suggest import suggest_profile as suggest_profile
