from .basis import basis_of as basis_of
from .behind import is_behind as is_behind
from .behind import surveys_behind as surveys_behind
from .making import make_publication as make_publication
from .values import CurrentPublication as CurrentPublication
from .values import current_publications as current_publications
from .values import find_published_values as find_published_values
