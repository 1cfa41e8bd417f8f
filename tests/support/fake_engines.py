"""Engines in memory."""

from dataclasses import dataclass, field

from specdecode_operator.clients import Engines, EngineUnreachable
from specdecode_operator.engine import Version


@dataclass
class FakeEngines(Engines):
    """Answers by address; an address without an answer is not reached."""

    answers: dict[str, Version | None] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def release(self, host: str, port: int) -> Version | None:
        self.asked.append((host, port))
        if host not in self.answers:
            raise EngineUnreachable("status 503")
        return self.answers[host]
