"""Who changes something, and when: for the rows that tell it afterwards."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """Who changes something, and when: `changed_by` like `cli:ann`, `api:shop`, `job:expiry`."""

    changed_by: str
    at: datetime
