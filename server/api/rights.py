"""The one door of rights: every route, WebSocket message, WHIP, WHEP and media URL asks here.

Two tables decide: RIGHTS (action -> role -> how far) and MESSAGE_ACTIONS (WebSocket message -> action).
An entry that is absent is a no. Who has no right gets `Refused`, which the outside sees as 404.

    actor = require(request, Action.END_LESSON, Thing(lesson="L...", main_room="main"))
    actor = enter_session(tokens, hello.token)           # a WebSocket's first message
    require_message(actor, message, thing)               # each later one
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

from server.api.identity import actors_of, mark_asked
from server.api.roles import Actor, ActorRole
from server.api.tokens import TokenKind, Tokens
from server.errors import Refused
from server.protocol import broadcast, capture
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
    "enter_session",
    "is_allowed",
    "require",
    "require_message",
    "require_some",
]


class Action(StrEnum):
    """What can be asked for. Each route and each WebSocket message has one."""

    OPEN_PAGE = "open_page"
    READ_HELP = "read_help"  # the page over plain HTTP
    TEST_NETWORK = "test_network"
    READ_HEALTH = "read_health"
    READ_METRICS = "read_metrics"
    READ_ME = "read_me"
    SET_UP = "set_up"
    LOG_IN = "log_in"
    LOG_OUT = "log_out"
    ENTER_CODE = "enter_code"
    READ_DEMO = "read_demo"
    LIST_ROOMS = "list_rooms"
    READ_CODES = "read_codes"
    LIST_LESSONS = "list_lessons"
    START_LESSON = "start_lesson"
    END_LESSON = "end_lesson"
    OBSERVE = "observe"  # a token to watch a lesson
    MANAGE_SOURCES = "manage_sources"  # cameras and encoders of a main room
    READ_REPLAY = "read_replay"
    READ_MEDIA = "read_media"
    WATCH_HLS = "watch_hls"  # the live lesson's recording, as it grows
    LIST_LIBRARY = "list_library"
    KEEP_PLACE = "keep_place"  # where this viewer stopped
    EDIT_LESSON = "edit_lesson"  # catalogue, series, chapters' titles, trim, captions, another try at a step
    SHARE_LESSON = "share_lesson"  # who else may watch or download
    DOWNLOAD = "download"
    EXPORT = "export"  # many lessons as one archive
    UPLOAD = "upload"
    READ_RECEIPT = "read_receipt"
    ASK_DELETION = "ask_deletion"
    DELETE_LESSON = "delete_lesson"
    PUBLISH_AGAIN = "publish_again"  # retry what failed after class, make the export
    KEEP_LESSON = "keep_lesson"  # how long it is kept, holds
    ASK_OPTIONS = "ask_options"  # CORS preflight
    CONNECT = "connect"  # open a WebSocket: its token comes with the first message
    PUBLISH = "publish"  # WHIP
    WATCH = "watch"  # WHEP
    JOIN = "join"  # be in a lesson's session: report, ping
    SEND = "send"  # an up connection from our pages
    RECEIVE = "receive"  # a down connection to our pages
    ASK_TEACHER = "ask_teacher"  # raise a hand, report trouble
    CONDUCT = "conduct"  # end, call on, mute, questions: the studio, or the teacher's phone
    TEACH = "teach"  # start, stage
    ASK_QUESTION = "ask_question"  # of a broadcast's viewer; the teacher decides who sees it
    SHARE = "share"  # make or end the broadcast's link
    HAND_REMOTE = "hand_remote"  # make or end the phone remote's link
    OPEN_WALL = "open_wall"  # the main room's second screen


class Reach(StrEnum):
    """How far a right goes."""

    ALL = "all"
    OWN_MAIN = "own_main"  # things of the actor's main room (and lesson, where the token names one)
    OWN_OR_SHARED = "own_or_shared"  # those, and what other main rooms opened to all
    OWN_SEAT = "own_seat"  # lessons in which the actor's room has a seat
    OWN_LESSON = "own_lesson"  # the lesson the token names
    OWN_LINK = "own_link"  # that lesson, while the link the token was made for is good


@dataclass(frozen=True, slots=True)
class Thing:
    """What is asked about; empty where the action has no object. `seats`: the receiving rooms; `shared`: the
    main room opened it to the teachers of the others."""

    lesson: str | None = None
    main_room: str | None = None
    seats: frozenset[str] = frozenset()
    shared: bool = False
    links: frozenset[int] = frozenset()  # numbers of its links that are good


NOTHING = Thing()

_R = ActorRole
_ANYONE = {_R.ANYONE: Reach.ALL}
_OWNER = {_R.ADMIN: Reach.ALL, _R.STUDIO: Reach.OWN_MAIN}
_WATCHES = {_R.ADMIN: Reach.ALL, _R.DEMO_VISITOR: Reach.ALL, _R.STUDIO: Reach.OWN_OR_SHARED}
_RECEIVERS = {
    _R.STUDIO: Reach.OWN_MAIN,
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
    Action.LOG_IN: _ANYONE,
    Action.LOG_OUT: _ANYONE,
    Action.ENTER_CODE: _ANYONE,
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
    Action.WATCH: {_R.WHEP: Reach.OWN_LESSON},
    Action.JOIN: {
        **_RECEIVERS,
        _R.REMOTE: Reach.OWN_LINK,
    },
    Action.SEND: {_R.STUDIO: Reach.OWN_MAIN, _R.ROOM: Reach.OWN_SEAT, _R.WATCHER: Reach.OWN_LINK},
    Action.RECEIVE: _RECEIVERS,
    Action.ASK_TEACHER: {_R.ROOM: Reach.OWN_SEAT},
    Action.CONDUCT: {_R.STUDIO: Reach.OWN_MAIN, _R.REMOTE: Reach.OWN_LINK},
    Action.TEACH: {_R.STUDIO: Reach.OWN_MAIN},
    Action.ASK_QUESTION: {_R.WATCHER: Reach.OWN_LINK},
    Action.SHARE: {_R.ADMIN: Reach.ALL, _R.STUDIO: Reach.OWN_MAIN},
    Action.HAND_REMOTE: {_R.STUDIO: Reach.OWN_MAIN},
    Action.OPEN_WALL: {_R.STUDIO: Reach.OWN_MAIN},
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
}

SESSION_ROLES: dict[TokenKind, tuple[ActorRole, Role]] = {
    TokenKind.STUDIO: (_R.STUDIO, Role.TEACHER),
    TokenKind.ROOM: (_R.ROOM, Role.ROOM),
    TokenKind.OBSERVER: (_R.OBSERVER, Role.OBSERVER),
    TokenKind.WATCH: (_R.WATCHER, Role.WATCHER),
    TokenKind.REMOTE: (_R.REMOTE, Role.REMOTE),
    TokenKind.WALL: (_R.WALL, Role.WALL),
}


class NoRight(Refused):
    """The one answer for "you may not" and "it is not there"."""

    def __init__(self) -> None:
        super().__init__(
            "not_found",
            zh="没有找到,或您无权查看。请检查网址,或先登录。",
            en="Not found, or not yours to see. Check the address, or log in first.",
        )


def allows(actor: Actor, action: Action, thing: Thing = NOTHING) -> bool:
    """Whether the tables let this actor do it. Pure."""
    reach = RIGHTS[action].get(actor.role)
    if reach is None:
        return False
    if reach is Reach.ALL:
        return True
    if reach in (Reach.OWN_LESSON, Reach.OWN_LINK):
        own = actor.lesson is not None and actor.lesson == thing.lesson
        return own and (reach is Reach.OWN_LESSON or actor.link in thing.links)
    if actor.room is None or (actor.lesson is not None and actor.lesson != thing.lesson):
        return False
    if reach is Reach.OWN_MAIN:
        return actor.room == thing.main_room
    if reach is Reach.OWN_OR_SHARED:
        return actor.room == thing.main_room or thing.shared
    return actor.room in thing.seats


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


def require_some(request: web.Request, action: Action) -> tuple[Actor, str | None]:
    """The right to do it to some lessons: as whom, and to which main room's; None: to all. `Refused`."""
    mark_asked(request)
    owner: Actor | None = None
    for actor in actors_of(request):
        reach = RIGHTS[action].get(actor.role)
        if reach is Reach.ALL:
            return actor, None
        if reach is not None and actor.room is not None and actor.lesson is None:
            owner = owner or actor
    if owner is None:
        raise NoRight
    return owner, owner.room


def enter_session(tokens: Tokens, token: str) -> tuple[Actor, Role]:
    """Who a WebSocket's `Hello` is. `Refused` for a token that is no page's."""
    claims = tokens.read(token)
    found = SESSION_ROLES.get(claims.kind)
    if found is None:
        raise NoRight
    role, session_role = found
    return Actor(role, room=claims.room, lesson=claims.lesson, link=claims.epoch), session_role


def require_message(actor: Actor, message: ws.ToServer, thing: Thing) -> None:
    """The right to send this message about the session's lesson, or `Refused`.

    CONNECT messages need no lesson: they keep the line open.
    """
    action = MESSAGE_ACTIONS[type(message)]
    if action is not Action.CONNECT and not allows(actor, action, thing):
        raise NoRight
