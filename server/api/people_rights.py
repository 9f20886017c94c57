"""What people may do by their posts; the rights table of DOMAIN.md's roles. An absent entry is a no.

The county's admin is in `rights.RIGHTS`, with everything that acts by a token.
"""

from __future__ import annotations

from server.api.actions import Action, Reach
from server.api.roles import ActorRole

_R, _U = ActorRole, Reach.OWN_UNITS
_SCHOOL = {_R.SCHOOL_ADMIN: _U}
_TEACHES = {_R.SCHOOL_ADMIN: _U, _R.TEACHER: _U}
_OWNS = {_R.SCHOOL_ADMIN: _U, _R.TEACHER: Reach.TAUGHT}
_KEEPS = {_R.SCHOOL_ADMIN: _U, _R.KEEPER: Reach.ALL}
_WATCHES = {_R.SCHOOL_ADMIN: Reach.SEEN, _R.TEACHER: Reach.SEEN, _R.RESEARCHER: Reach.SEEN}
_PEOPLE = {_R.PERSON: Reach.ALL}

PEOPLE_RIGHTS: dict[Action, dict[ActorRole, Reach]] = {
    Action.TEST_NETWORK: _PEOPLE,
    Action.READ_METRICS: {_R.KEEPER: Reach.ALL},
    Action.LIST_ROOMS: {**_TEACHES, _R.ASSISTANT: _U, _R.RESEARCHER: _U, _R.KEEPER: Reach.ALL},
    Action.READ_CODES: _KEEPS,
    Action.LIST_LESSONS: {**_TEACHES, _R.ASSISTANT: _U, _R.RESEARCHER: _U, _R.KEEPER: Reach.ALL},
    Action.START_LESSON: _TEACHES,
    Action.END_LESSON: _TEACHES,
    Action.OPEN_STUDIO: _TEACHES,
    Action.INVITE_GUEST: _TEACHES,
    Action.MANAGE_SOURCES: _KEEPS,
    Action.MANAGE_DEVICES: _KEEPS,
    Action.OBSERVE: {_R.SCHOOL_ADMIN: _U, _R.RESEARCHER: _U},
    Action.WATCH_HLS: {_R.SCHOOL_ADMIN: _U, _R.RESEARCHER: _U},
    Action.READ_REPLAY: {**_WATCHES, _R.ANYONE: Reach.PUBLIC},
    Action.LIST_LIBRARY: _WATCHES,
    Action.KEEP_PLACE: _WATCHES,
    Action.DOWNLOAD: {_R.SCHOOL_ADMIN: Reach.SEEN, _R.TEACHER: Reach.SEEN},
    Action.EDIT_LESSON: _OWNS,
    Action.SHARE_LESSON: _OWNS,
    Action.EXPORT: _OWNS,
    Action.UPLOAD: _TEACHES,
    Action.ASK_DELETION: _OWNS,
    Action.PUBLISH_AGAIN: {**_OWNS, _R.KEEPER: Reach.ALL},
    Action.READ_RECEIPT: _OWNS,
    Action.READ_UNITS: _PEOPLE,
    Action.MANAGE_UNITS: _SCHOOL,
    Action.READ_PEOPLE: _SCHOOL,
    Action.MANAGE_PEOPLE: _SCHOOL,
    Action.READ_OWN: _PEOPLE,
    Action.CHANGE_OWN: _PEOPLE,
    Action.READ_TIMETABLE: _PEOPLE,
    Action.EDIT_TIMETABLE: _SCHOOL,
    Action.EDIT_CALENDAR: _SCHOOL,
    Action.READ_DAY: _PEOPLE,
    Action.READ_REHEARSALS: _OWNS,
    Action.READ_CONSENT: _TEACHES,
    Action.MANAGE_CONSENT: _SCHOOL,
}
