"""What each role may say to its lesson, by message type. Pure; the rights door asks it for every message."""

from __future__ import annotations

from server.protocol import messages as m
from server.protocol.messages import Role

EVERYBODY = frozenset({m.Hello, m.AnswerDown, m.WantDown, m.Report, m.Ping})
SENDERS = frozenset({m.OfferUp, m.RestartUp})
TEACHING = frozenset(
    {m.Start, m.End, m.Extend, m.CallOn, m.Mute, m.OpenVoice, m.Stage, m.Courseware, m.LowerHand}
)
ATTENDING = frozenset({m.Hand, m.Trouble})

MAY: dict[Role, frozenset[type]] = {
    Role.TEACHER: EVERYBODY | SENDERS | TEACHING,
    Role.ROOM: EVERYBODY | SENDERS | ATTENDING,
    Role.OBSERVER: EVERYBODY,
}


def may_say(role: Role, message: m.ToServer) -> bool:
    """Whether this role may send this message at all; whether it fits the moment is the lesson's to say."""
    return type(message) in MAY[role]
