"""Short access tokens for agents that act under a grant."""

from au_sys_identity.core.delegations.grants import Delegations
from au_sys_identity.core.errors import MachineOnly, NotFound
from au_sys_identity.core.ports import Clock
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.tokens.ports import AccessTokens


class DelegationTokens:
    """Issues them; every check asks for the grant again, so a token never outlives it."""

    def __init__(self, delegations: Delegations, access_tokens: AccessTokens, clock: Clock) -> None:
        self._delegations = delegations
        self._access_tokens = access_tokens
        self._clock = clock

    async def issue(self, caller: Principal, delegation_id: str) -> tuple[str, int]:
        """The token and its life in seconds.

        Raises:
            MachineOnly: a person asks.
            NotFound: it is no living grant to this agent; or the agent acts under one already, which is not passed on.
        """
        if caller.machine is None or caller.key_id is None:
            raise MachineOnly
        if caller.delegation_id is not None:
            raise NotFound("delegation")
        grant = await self._delegations.usable(caller, delegation_id)
        return await self._access_tokens.sign_delegated(
            grant, key_id=caller.key_id, epoch=caller.machine.epoch, now=self._clock()
        )
