"""The one door of rights: every route, WebSocket message, WHIP, WHEP and media URL asks here.

Two tables decide: RIGHTS (action -> role -> how far) and MESSAGE_ACTIONS (WebSocket message -> action).
An entry that is absent is a no. Who has no right gets `Refused`, which the outside sees as 404.

    actor = require(request, Action.END_LESSON, Thing(lesson="L...", main_room="main"))
    actor, role = enter_session(tokens.read(hello.token))  # a WebSocket's first message
    require_message(actor, message, thing)               # each later one
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web

from server.api.actions import Action, Reach
from server.api.identity import actors_of, mark_asked
from server.api.people_rights import PEOPLE_RIGHTS
from server.api.roles import Actor, ActorRole
from server.api.tokens import Claims, TokenKind
from server.domain.visibility import NO_CIRCLE, Circle, Visibility
from server.errors import Refused
from server.protocol import broadcast, capture, devices, inviting, lobby, rehearsing
from server.protocol import messages as ws
from server.protocol.messages import Role

__all__ = [
    "MESSAGE_ACTIONS",
    "NOTHING",
    "RIGHTS",
    "Action",
    "Actor",
    "NoRight",
    "Reach",
    "Thing",
    "allows",
    "circle_of",
    "enter_session",
    "is_allowed",
    "may_of",
    "reach_of",
    "require",
    "require_message",
    "require_some",
    "require_somewhere",
]


@dataclass(frozen=True, slots=True)
class Thing:
    """What is asked about; empty where the action has no object. `seats`: the receiving rooms;
    `visibility`: how far its recording was opened."""

    lesson: str | None = None
    main_room: str | None = None
    seats: frozenset[str] = frozenset()
    visibility: Visibility = Visibility.ROOM
    teacher: str = ""  # the person
    unit: str | None = None  # of the organisation, where no room is meant
    links: frozenset[int] = frozenset()  # numbers of its links that are good


NOTHING = Thing()

_R = ActorRole
_ANYONE = {_R.ANYONE: Reach.ALL}
_ADMIN = {_R.ADMIN: Reach.ALL}
_OWNER = {_R.ADMIN: Reach.ALL, _R.STUDIO: Reach.OWN_MAIN}
_WATCHES = {_R.ADMIN: Reach.ALL, _R.DEMO_VISITOR: Reach.ALL, _R.STUDIO: Reach.OWN_OR_SHARED}
_RECEIVERS = {
    _R.STUDIO: Reach.OWN_MAIN,
    _R.GUEST: Reach.OWN_MAIN,
    _R.WALL: Reach.OWN_MAIN,
    _R.ROOM: Reach.OWN_SEAT,
    _R.OBSERVER: Reach.OWN_LESSON,
    _R.WATCHER: Reach.OWN_LINK,
}
RIGHTS: dict[Action, dict[ActorRole, Reach]] = {
    Action.OPEN_PAGE: _ANYONE,
    Action.READ_HELP: _ANYONE,
    Action.TEST_NETWORK: {
        _R.ADMIN: Reach.ALL,
        _R.DEMO_VISITOR: Reach.ALL,
        _R.OPERATOR: Reach.ALL,
        _R.STUDIO: Reach.ALL,
        _R.ROOM: Reach.ALL,
        _R.OBSERVER: Reach.ALL,
    },
    Action.READ_HEALTH: _ANYONE,
    Action.READ_METRICS: {_R.OPERATOR: Reach.ALL, _R.LOCAL: Reach.ALL, _R.ADMIN: Reach.ALL},
    Action.READ_ME: _ANYONE,
    Action.SET_UP: _ANYONE,
    Action.MANAGE_CERTIFICATE: {_R.ADMIN: Reach.ALL, _R.OPERATOR: Reach.ALL},
    Action.LOG_IN: _ANYONE,
    Action.LOG_OUT: _ANYONE,
    Action.ENTER_CODE: _ANYONE,
    Action.ASK_PAIRING: _ANYONE,
    Action.MANAGE_DEVICES: {_R.ADMIN: Reach.ALL, _R.DEMO_VISITOR: Reach.ALL, _R.OPERATOR: Reach.ALL},
    Action.TELL_OF_ITSELF: {_R.ROOM: Reach.ALL},
    Action.READ_DEMO: {_R.DEMO_VISITOR: Reach.ALL},
    Action.LIST_ROOMS: {_R.ADMIN: Reach.ALL, _R.DEMO_VISITOR: Reach.ALL, _R.OPERATOR: Reach.ALL},
    Action.READ_CODES: {_R.ADMIN: Reach.ALL, _R.DEMO_VISITOR: Reach.ALL, _R.OPERATOR: Reach.ALL},
    Action.LIST_LESSONS: {_R.ADMIN: Reach.ALL, _R.DEMO_VISITOR: Reach.ALL, _R.OPERATOR: Reach.ALL},
    Action.START_LESSON: {_R.ADMIN: Reach.ALL, _R.OPERATOR: Reach.ALL, _R.STUDIO: Reach.OWN_MAIN},
    Action.END_LESSON: {_R.ADMIN: Reach.ALL, _R.OPERATOR: Reach.ALL, _R.STUDIO: Reach.OWN_MAIN},
    Action.MANAGE_SOURCES: {_R.ADMIN: Reach.ALL, _R.OPERATOR: Reach.ALL},
    Action.OBSERVE: {_R.ADMIN: Reach.ALL, _R.DEMO_VISITOR: Reach.ALL},
    Action.WATCH_HLS: {
        _R.ADMIN: Reach.ALL,
        _R.DEMO_VISITOR: Reach.ALL,
        _R.STUDIO: Reach.OWN_MAIN,
        _R.ROOM: Reach.OWN_SEAT,
        _R.OBSERVER: Reach.OWN_LESSON,
        _R.WATCHER: Reach.OWN_LINK,
    },
    Action.READ_REPLAY: _WATCHES,
    Action.LIST_LIBRARY: _WATCHES,
    Action.KEEP_PLACE: _WATCHES,
    Action.DOWNLOAD: _WATCHES,
    Action.EDIT_LESSON: _OWNER,
    Action.SHARE_LESSON: _OWNER,
    Action.EXPORT: _OWNER,
    Action.UPLOAD: _OWNER,
    Action.ASK_DELETION: _OWNER,
    Action.DELETE_LESSON: {_R.ADMIN: Reach.ALL},
    Action.PUBLISH_AGAIN: {**_OWNER, _R.OPERATOR: Reach.ALL},
    Action.KEEP_LESSON: {_R.ADMIN: Reach.ALL, _R.OPERATOR: Reach.ALL},
    Action.READ_RECEIPT: {**_OWNER, _R.DEMO_VISITOR: Reach.ALL},
    Action.READ_MEDIA: {_R.SIGNED_URL: Reach.OWN_LESSON},
    Action.ASK_OPTIONS: _ANYONE,
    Action.CONNECT: _ANYONE,
    Action.PUBLISH: {_R.WHIP: Reach.OWN_LESSON},
    Action.PUBLISH_AS_BOX: {_R.ENCODER: Reach.OWN_MAIN},
    Action.WATCH: {_R.WHEP: Reach.OWN_LESSON},
    Action.JOIN: {
        **_RECEIVERS,
        _R.REMOTE: Reach.OWN_LINK,
    },
    Action.SEND: {
        _R.STUDIO: Reach.OWN_MAIN,
        _R.GUEST: Reach.OWN_MAIN,
        _R.ROOM: Reach.OWN_SEAT,
        _R.WATCHER: Reach.OWN_LINK,
    },
    Action.RECEIVE: _RECEIVERS,
    Action.ASK_TEACHER: {_R.ROOM: Reach.OWN_SEAT},
    Action.CONDUCT: {_R.STUDIO: Reach.OWN_MAIN, _R.REMOTE: Reach.OWN_LINK},
    Action.LET_IN: {_R.STUDIO: Reach.OWN_MAIN, _R.REMOTE: Reach.OWN_LINK},
    Action.TEACH: {_R.STUDIO: Reach.OWN_MAIN},
    Action.READ_TIMETABLE: {
        _R.ADMIN: Reach.ALL,
        _R.DEMO_VISITOR: Reach.ALL,
        _R.OPERATOR: Reach.ALL,
        _R.STUDIO: Reach.OWN_MAIN,
    },
    Action.EDIT_TIMETABLE: {_R.ADMIN: Reach.ALL, _R.OPERATOR: Reach.ALL},
    Action.EDIT_CALENDAR: {_R.ADMIN: Reach.ALL, _R.OPERATOR: Reach.ALL},
    Action.READ_DAY: {_R.ADMIN: Reach.ALL, _R.DEMO_VISITOR: Reach.ALL, _R.STUDIO: Reach.OWN_MAIN},
    Action.READ_REHEARSALS: {_R.ADMIN: Reach.ALL, _R.DEMO_VISITOR: Reach.ALL, _R.OPERATOR: Reach.ALL},
    Action.READ_FEED: _ANYONE,
    Action.ANSWER_CALL: {_R.ROOM: Reach.ALL},
    Action.ASK_QUESTION: {_R.WATCHER: Reach.OWN_LINK},
    Action.SHARE: {_R.ADMIN: Reach.ALL, _R.STUDIO: Reach.OWN_MAIN},
    Action.HAND_REMOTE: {_R.STUDIO: Reach.OWN_MAIN},
    Action.OPEN_WALL: {_R.STUDIO: Reach.OWN_MAIN},
    Action.OPEN_STUDIO: {_R.ADMIN: Reach.ALL, _R.OPERATOR: Reach.ALL, _R.DEMO_VISITOR: Reach.ALL},
    Action.INVITE_GUEST: _OWNER,
    Action.ENTER_LOBBY: _ANYONE,
    Action.READ_UNITS: _ADMIN,
    Action.MANAGE_UNITS: _ADMIN,
    Action.READ_PEOPLE: _ADMIN,
    Action.MANAGE_PEOPLE: _ADMIN,
    Action.ERASE_PERSON: {**_ADMIN, _R.OPERATOR: Reach.ALL},
    Action.READ_OWN: {},
    Action.CHANGE_OWN: {},
    Action.READ_AUDIT: _ADMIN,
    Action.READ_CONSENT: _ADMIN,
    Action.MANAGE_CONSENT: _ADMIN,
    Action.APPROVE_PUBLIC: _ADMIN,
}

MESSAGE_ACTIONS: dict[type, Action] = {
    ws.Hello: Action.CONNECT,
    ws.OfferUp: Action.SEND,
    ws.RestartUp: Action.SEND,
    ws.AnswerDown: Action.RECEIVE,
    ws.WantDown: Action.RECEIVE,
    ws.Report: Action.JOIN,
    ws.Ping: Action.CONNECT,
    ws.Hand: Action.ASK_TEACHER,
    ws.Trouble: Action.ASK_TEACHER,
    ws.Start: Action.TEACH,
    ws.End: Action.CONDUCT,
    ws.Extend: Action.CONDUCT,
    ws.CallOn: Action.CONDUCT,
    ws.Mute: Action.CONDUCT,
    ws.OpenVoice: Action.CONDUCT,
    ws.Stage: Action.TEACH,
    capture.RecordSubjects: Action.TEACH,
    capture.PauseRecording: Action.TEACH,
    ws.Courseware: Action.CONDUCT,
    ws.LowerHand: Action.CONDUCT,
    broadcast.Judge: Action.CONDUCT,
    broadcast.TakeQuestions: Action.CONDUCT,
    broadcast.Invite: Action.CONDUCT,
    broadcast.Ask: Action.ASK_QUESTION,
    broadcast.LeaveStage: Action.SEND,
    inviting.CallRooms: Action.TEACH,
    rehearsing.PointOut: Action.CONDUCT,
    inviting.AnswerCall: Action.ANSWER_CALL,
    lobby.LetIn: Action.LET_IN,
    devices.Proof: Action.CONNECT,
    devices.Standing: Action.TELL_OF_ITSELF,
    devices.HearChecked: Action.TELL_OF_ITSELF,
    devices.SignIn: Action.ASK_TEACHER,
}

SESSION_ROLES: dict[TokenKind, tuple[ActorRole, Role]] = {
    TokenKind.STUDIO: (_R.STUDIO, Role.TEACHER),
    TokenKind.ROOM: (_R.ROOM, Role.ROOM),
    TokenKind.ACTING: (_R.ROOM, Role.ROOM),
    TokenKind.OBSERVER: (_R.OBSERVER, Role.OBSERVER),
    TokenKind.WATCH: (_R.WATCHER, Role.WATCHER),
    TokenKind.REMOTE: (_R.REMOTE, Role.REMOTE),
    TokenKind.WALL: (_R.WALL, Role.WALL),
    TokenKind.GUEST: (_R.GUEST, Role.GUEST),
}


class NoRight(Refused):
    """The one answer for "you may not" and "it is not there"."""

    def __init__(self) -> None:
        super().__init__(
            "not_found",
            zh="没有找到,或您无权查看。请检查网址,或先登录。",
            en="Not found, or not yours to see. Check the address, or log in first.",
        )


def reach_of(actor: Actor, action: Action) -> Reach | None:
    """How far the tables let this actor go; None: nowhere. An API token goes no further than its scopes."""
    if actor.scopes is not None and action not in actor.scopes:
        return None
    return RIGHTS[action].get(actor.role) or PEOPLE_RIGHTS.get(action, {}).get(actor.role)


def allows(actor: Actor, action: Action, thing: Thing = NOTHING) -> bool:
    """Whether the tables let this actor do it. Pure."""
    match reach_of(actor, action):
        case None:
            return False
        case Reach.ALL:
            return True
        case Reach.OWN_LESSON:
            return actor.lesson is not None and actor.lesson == thing.lesson
        case Reach.OWN_LINK:
            return actor.lesson is not None and actor.lesson == thing.lesson and actor.link in thing.links
        case Reach.OWN_UNITS:
            return thing.main_room in actor.units or thing.unit in actor.units
        case Reach.TAUGHT:
            return actor.person != "" and actor.person == thing.teacher
        case Reach.SEEN:
            circle = actor.circle or NO_CIRCLE
            return circle.sees(thing.main_room, thing.visibility, thing.teacher)
        case Reach.PUBLIC:
            return thing.main_room is not None and thing.visibility is Visibility.PUBLIC
        case reach:
            return _allows_room(actor, reach, thing)


def _allows_room(actor: Actor, reach: Reach, thing: Thing) -> bool:
    """The reaches of who is a room or its studio."""
    if actor.room is None or (actor.lesson is not None and actor.lesson != thing.lesson):
        return False
    if reach is Reach.OWN_SEAT:
        return actor.room in thing.seats
    if actor.room == thing.main_room:
        return True
    circle = actor.circle or NO_CIRCLE
    return reach is Reach.OWN_OR_SHARED and circle.sees(thing.main_room, thing.visibility)


def _first_allowed(actors: Iterable[Actor], action: Action, thing: Thing) -> Actor:
    for actor in actors:
        if allows(actor, action, thing):
            return actor
    raise NoRight


def require(request: web.Request, action: Action, thing: Thing = NOTHING) -> Actor:
    """The right to `action`, or `Refused`. Returns as whom the request may do it."""
    mark_asked(request)
    return _first_allowed(actors_of(request), action, thing)


def is_allowed(request: web.Request, action: Action, thing: Thing) -> bool:
    """Whether the request may do it, for a page that shows only what its reader may do."""
    return any(allows(actor, action, thing) for actor in actors_of(request))


def require_some(request: web.Request, action: Action) -> tuple[Actor, Circle | None]:
    """The right to do it to some lessons: as whom, and to those of which circle; None: to all. `Refused`."""
    mark_asked(request)
    for actor in actors_of(request):
        reach = reach_of(actor, action)
        whole = reach is Reach.ALL and actor.role is not ActorRole.PERSON
        if whole or (_bound(actor) and reach not in (None, Reach.PUBLIC)):
            return actor, circle_of(request, action)
    raise NoRight


def require_somewhere(request: web.Request, action: Action) -> Actor:
    """The right to do it in some unit or in all. `Refused`."""
    mark_asked(request)
    for actor in actors_of(request):
        if reach_of(actor, action) is Reach.ALL or (actor.units and reach_of(actor, action) is not None):
            return actor
    raise NoRight


def circle_of(request: web.Request, action: Action) -> Circle | None:
    """Whose lessons the request may do it to, of all its posts and tokens together; None: everybody's."""
    circle = NO_CIRCLE
    for actor in actors_of(request):
        reach = reach_of(actor, action)
        if reach is Reach.ALL and actor.role is not ActorRole.PERSON:
            return None
        if _bound(actor):
            circle = circle.with_circle(_circle(actor, reach))
    return circle


def _bound(actor: Actor) -> bool:
    """Whether it is somebody with a room or posts, and not with one lesson alone."""
    return actor.lesson is None and (actor.room is not None or actor.person != "")


def _circle(actor: Actor, reach: Reach | None) -> Circle:
    seen = actor.circle or NO_CIRCLE
    if reach in (Reach.SEEN, Reach.OWN_OR_SHARED):
        own = seen.own if actor.room is None else seen.own | {actor.room}
        return Circle(own, seen.school, seen.group, actor.person)
    if reach is Reach.TAUGHT:
        return Circle(person=actor.person)
    if reach in (Reach.OWN_UNITS, Reach.OWN_MAIN):
        return Circle(actor.units | {actor.room or ""})
    return NO_CIRCLE


def may_of(request: web.Request, people: list[Actor] | None = None) -> list[Action]:
    """What this request may do to something or other: which entries a page offers. `people`: as whom besides,
    where the request itself logged in."""
    actors = [*(people or ()), *actors_of(request)]
    known = [actor for actor in actors if actor.role is not ActorRole.ANYONE]
    return [action for action in Action if any(reach_of(actor, action) for actor in known)]


def enter_session(claims: Claims) -> tuple[Actor, Role]:
    """Who a WebSocket's `Hello` is, by its token. `Refused` for a token that is no page's."""
    found = SESSION_ROLES.get(claims.kind)
    if found is None:
        raise NoRight
    role, session_role = found
    return Actor(role, claims.room, claims.lesson, claims.epoch, claims.person), session_role


def require_message(actor: Actor, message: ws.ToServer, thing: Thing) -> None:
    """The right to send this message about the session's lesson, or `Refused`.

    CONNECT messages need no lesson: they keep the line open.
    """
    action = MESSAGE_ACTIONS[type(message)]
    if action is not Action.CONNECT and not allows(actor, action, thing):
        raise NoRight
