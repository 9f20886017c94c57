"""What can be asked for, and how far a right to it goes. The tables are `rights` and `people_rights`."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What can be asked for. Each route and each WebSocket message has one."""

    OPEN_PAGE = "open_page"
    READ_HELP = "read_help"  # the page over plain HTTP
    TEST_NETWORK = "test_network"
    READ_HEALTH = "read_health"
    READ_METRICS = "read_metrics"
    READ_ME = "read_me"
    SET_UP = "set_up"
    MANAGE_CERTIFICATE = "manage_certificate"  # of HTTPS: make it, bring one
    LOG_IN = "log_in"
    LOG_OUT = "log_out"
    ENTER_CODE = "enter_code"
    READ_DEMO = "read_demo"
    ASK_PAIRING = "ask_pairing"  # a screen shows six digits; a wiped one brings its launcher's secret
    MANAGE_DEVICES = "manage_devices"  # pair, revoke, launcher; how rooms stand, alarms
    TELL_OF_ITSELF = "tell_of_itself"  # a room's machine: its devices, clock, hear check
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
    PUBLISH_AS_BOX = "publish_as_box"  # WHIP to a room, by an encoder's own key
    WATCH = "watch"  # WHEP
    JOIN = "join"  # be in a lesson's session: report, ping
    SEND = "send"  # an up connection from our pages
    RECEIVE = "receive"  # a down connection to our pages
    ASK_TEACHER = "ask_teacher"  # raise a hand, report trouble
    CONDUCT = "conduct"  # end, call on, mute, questions: the studio, or the teacher's phone
    TEACH = "teach"  # start, stage, call rooms
    ANSWER_CALL = "answer_call"  # a room outside a lesson is invited: yes or no, for itself
    ASK_QUESTION = "ask_question"  # of a broadcast's viewer; the teacher decides who sees it
    SHARE = "share"  # make or end the broadcast's link
    HAND_REMOTE = "hand_remote"  # make or end the phone remote's link
    OPEN_WALL = "open_wall"  # the main room's second screen
    OPEN_STUDIO = "open_studio"  # a studio's token, for who teaches there
    INVITE_GUEST = "invite_guest"  # a link into the lobby of a main room's lessons, or its end
    ENTER_LOBBY = "enter_lobby"  # give a name there
    LET_IN = "let_in"  # who of those that wait there comes in
    READ_UNITS = "read_units"
    MANAGE_UNITS = "manage_units"
    READ_PEOPLE = "read_people"
    MANAGE_PEOPLE = "manage_people"
    ERASE_PERSON = "erase_person"
    READ_OWN = "read_own"  # one's own sessions, tokens and data
    CHANGE_OWN = "change_own"
    READ_AUDIT = "read_audit"
    READ_TIMETABLE = "read_timetable"
    EDIT_TIMETABLE = "edit_timetable"  # book, move, substitute, cancel, import
    EDIT_CALENDAR = "edit_calendar"  # terms, swapped days, the curriculum; bells of one's own school
    READ_DAY = "read_day"  # a person's own day
    READ_REHEARSALS = "read_rehearsals"  # who tried with acting rooms, and passed
    READ_FEED = "read_feed"  # an iCalendar feed by its secret address
    READ_CONSENT = "read_consent"
    MANAGE_CONSENT = "manage_consent"
    APPROVE_PUBLIC = "approve_public"  # the second of the two who agree


class Reach(StrEnum):
    """How far a right goes."""

    ALL = "all"
    OWN_MAIN = "own_main"  # things of the actor's main room (and lesson, where the token names one)
    OWN_OR_SHARED = "own_or_shared"  # those, and what other main rooms opened to all
    OWN_SEAT = "own_seat"  # lessons in which the actor's room has a seat
    OWN_LESSON = "own_lesson"  # the lesson the token names
    OWN_LINK = "own_link"  # that lesson, while the link the token was made for is good
    OWN_UNITS = "own_units"  # what is in units that the person's posts cover
    TAUGHT = "taught"  # lessons that the person taught
    SEEN = "seen"  # those, and recordings that were opened as far as to the person
    PUBLIC = "public"  # recordings that two people opened to everybody
