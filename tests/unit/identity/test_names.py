"""What people and teams are called, told to other services' workers and to nobody else."""

from __future__ import annotations

import pytest

from services.kernel.clock import new_id
from services.kernel.commit import Caller
from services.kernel.domain import Rejected
from tests.examples.identity_service import Identity, Person


def test_names_by_id_inside_the_account(identity: Identity, ana: Person) -> None:
    team = new_id()
    identity.by(ana, "create_team", team_id=team, name="Cuadrilla Norte", parent=None)
    system = Caller(tenant=ana.account_id, actor="system:export", role="system")
    asked = {"users": [ana.user_id, new_id()], "teams": [team]}
    answer = identity.app.query("names", asked, system)
    assert (list(answer["users"]), answer["teams"]) == ([ana.user_id], {team: "Cuadrilla Norte"})
    elsewhere = Caller(tenant=new_id(), actor="system:export", role="system")
    assert identity.app.query("names", asked, elsewhere) == {"users": {}, "teams": {}}
    with pytest.raises(Rejected, match="forbidden"):
        identity.ask(ana, "names", **asked)
