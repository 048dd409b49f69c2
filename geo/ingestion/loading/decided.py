"""What was decided of an upload holds when it is done: by then its round may be published, or who decided it may not.

Between a decision and its work lies the queue. A steward may publish the round meanwhile, and what changes published
figures is a steward's to decide; an account may have been closed, or given a lower role.
"""

from sqlalchemy import Connection, select

from geo.database.schema.access import ROLES, Role, account
from geo.database.schema.surveys import survey
from geo.database.schema.uploads import upload
from geo.errors import Conflict


def check_decided(connection: Connection, upload_id: int, decided_by: Role) -> None:
    """Holds that who decided an upload may still do so; its round stays in its state until the transaction ends.

    `decided_by` is the least role that decides of such a file; of a published round a steward does. What was decided on
    the command line is the operator's.

    Raises:
        Conflict: somebody else has to decide it; the message says who and why.
    """
    row = connection.execute(select(upload).where(upload.c.id == upload_id)).mappings().one()
    of_round = select(survey.c.slug, survey.c.state).where(survey.c.id == row["survey_id"]).with_for_update(read=True)
    its_round = connection.execute(of_round).one_or_none()
    if row["decided_by"] is None:
        return
    who = select(account.c.role, account.c.is_active).where(account.c.id == row["decided_by"])
    decider = connection.execute(who.with_for_update(read=True)).one()
    is_published = its_round is not None and its_round.state == "published"
    needed: Role = "steward" if is_published else decided_by
    again = row["state"] == "accepted"
    if not decider.is_active:
        raise Conflict("decider_closed_check_again" if again else "decider_closed", needed=needed)
    if ROLES.index(decider.role) < ROLES.index(needed) and decider.role != row["decided_as"]:
        code = "decider_demoted_check_again" if again else "decider_demoted"
        raise Conflict(code, role=decider.role, needed=needed)
    if ROLES.index(row["decided_as"]) < ROLES.index(needed):
        if its_round is None:
            raise Conflict("decider_too_low_check_again" if again else "decider_too_low", needed=needed)
        code = "round_published_meanwhile_check_again" if again else "round_published_meanwhile"
        raise Conflict(code, survey=its_round.slug, needed=needed)
