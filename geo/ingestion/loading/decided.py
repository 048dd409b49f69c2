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
    if not decider.is_active:
        why = "the account that decided it has been closed"
    elif ROLES.index(decider.role) < ROLES.index(needed) and decider.role != row["decided_as"]:
        why = f"the account that decided it has become a {decider.role}"
    elif ROLES.index(row["decided_as"]) < ROLES.index(needed):
        why = f"survey {its_round.slug} was published meanwhile" if its_round else "it is not for a contributor"
    else:
        return
    again = "have it checked again, then " if row["state"] == "accepted" else ""
    raise Conflict(f"Nothing was changed, because {why}: {again}a {needed} has to decide it.")
