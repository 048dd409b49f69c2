from .placer import GPS_TOLERANCE_M as GPS_TOLERANCE_M
from .placer import Placement as Placement
