from .collected import FindingGroup as FindingGroup
from .collected import Findings as Findings
from .collected import sentence as sentence
from .kinds import FIXABLE as FIXABLE
from .stored import find_findings as find_findings
from .stored import find_groups as find_groups
from .stored import find_misplaced as find_misplaced
from .stored import find_unmapped as find_unmapped
