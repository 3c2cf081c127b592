"""What is in progress, from events and lists, however they interleave."""

from datetime import UTC, datetime, timedelta

from agi_server.asterisk.live_calls import Change, LiveCalls, LiveChannel

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALLER, CALLED = "pbx-1.1", "pbx-1.2"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class Story:
    """Events told to a LiveCalls, and what it told of them."""

    def __init__(self) -> None:
        self.changes: list[tuple[Change, str]] = []
        self.live = LiveCalls(self._told)

    def _told(self, change: Change, channel: LiveChannel) -> None:
        self.changes.append((change, channel.uniqueid))

    def hear(self, seconds: float, event: str, uniqueid: str, **fields: str) -> None:
        about = {"Event": event, "Uniqueid": uniqueid, "Channel": uniqueid, **fields}
        self.live.hear({**about, "Timestamp": str(at(seconds).timestamp())}, at(seconds + 7))

    def talk(self) -> None:
        """Since 5 s caller and called talk."""
        self.hear(0, "Newchannel", CALLER)
        self.hear(1, "Newchannel", CALLED)
        self.hear(1, "DialBegin", CALLER, DestUniqueid=CALLED)
        self.hear(
            5, "DialEnd", CALLER, DestUniqueid=CALLED, DestChannel=CALLED, DialStatus="ANSWER"
        )
        self.bridge(5)

    def bridge(self, seconds: float) -> None:
        for uniqueid in (CALLER, CALLED):
            self.hear(seconds, "BridgeEnter", uniqueid, BridgeUniqueid="b1")

    def list(self, seconds: float, *uniqueids: str, bridge: str = "b1") -> list[LiveChannel]:
        self.live.begin_list()
        rows = [{"Uniqueid": each, "Channel": each, "BridgeId": bridge} for each in uniqueids]
        return self.live.take_list(rows, at(seconds))


def test_times_are_asterisks_own() -> None:
    story = Story()
    story.talk()
    caller = story.live.channels[CALLER]
    assert (at(5), True, CALLED) == (caller.answered_at, caller.talking, caller.peer_channel)
    story.hear(9, "Hangup", CALLED)
    assert (at(9), False, False) == (caller.parted_at, caller.unsure, caller.talking)
    story.hear(12, "Hangup", CALLER)
    assert (at(12), {}) == (caller.ended_at, story.live.channels)


def test_a_timestamp_that_cannot_be_is_replaced_by_the_moment_it_was_heard() -> None:
    story = Story()
    for timestamp in ("", "soon", "inf", "nan", "1e99", "-1", "4102444800"):
        event = {"Event": "Newchannel", "Uniqueid": f"x{timestamp}", "Timestamp": timestamp}
        story.live.hear(event, at(1))
    assert [at(1)] * 7 == [each.seen_at for each in story.live.channels.values()]


def test_a_route_that_failed_and_the_one_that_answered_are_told_apart() -> None:
    story = Story()
    story.hear(0, "Newchannel", CALLER)
    story.hear(1, "DialBegin", CALLER, DestUniqueid="pbx-1.9")
    story.hear(2, "DialEnd", CALLER, DestUniqueid="pbx-1.9", DialStatus="CONGESTION")
    story.hear(2, "Hangup", "pbx-1.9")
    assert None is story.live.channels[CALLER].answered_at
    story.hear(3, "DialBegin", CALLER, DestUniqueid=CALLED)
    story.hear(5, "DialEnd", CALLER, DestUniqueid=CALLED, DialStatus="ANSWER")
    assert (at(5), CALLED) == (
        story.live.channels[CALLER].answered_at,
        story.live.channels[CALLER].peer,
    )


def test_a_second_call_of_a_channel_forgets_the_first() -> None:
    story = Story()
    story.talk()
    story.hear(9, "Hangup", CALLED)
    story.hear(20, "DialBegin", CALLER, DestUniqueid="pbx-1.3")
    caller = story.live.channels[CALLER]
    assert (at(20), None, None) == (caller.dialled_at, caller.answered_at, caller.parted_at)


def test_what_a_list_lacks_has_ended_and_nobody_saw_when() -> None:
    story = Story()
    story.talk()
    story.live.alive(at(30))
    caller = story.live.channels[CALLER]
    story.list(60)
    assert (None, at(30), {}) == (caller.ended_at, caller.seen_at, story.live.channels)
    assert {(Change.ENDED, CALLER), (Change.ENDED, CALLED)} <= set(story.changes)


def test_what_came_or_went_while_a_list_was_on_its_way_is_not_undone_by_it() -> None:
    story = Story()
    story.talk()
    story.live.begin_list()
    story.hear(7, "Hangup", CALLED)
    story.hear(7, "Newchannel", "pbx-1.5")
    rows = [{"Uniqueid": each} for each in (CALLER, CALLED)]
    story.live.take_list(rows, at(6))
    assert {CALLER, "pbx-1.5"} == set(story.live.channels)


def test_a_talk_found_in_a_list_ends_with_the_other_in_its_bridge() -> None:
    story = Story()
    unknown = story.list(60, CALLER, CALLED)
    assert [CALLER, CALLED] == [each.uniqueid for each in unknown]
    caller, called = unknown
    story.live.found_out(called, None, at(61))
    story.live.found_out(caller, at(40), at(61))
    assert (at(40), True) == (caller.answered_at, caller.talking)
    assert [] == story.list(70, CALLER, CALLED)
    story.hear(80, "Hangup", CALLED)
    assert (at(80), False) == (caller.parted_at, caller.unsure)


def test_a_talk_that_was_over_when_it_was_found_has_no_exact_end() -> None:
    story = Story()
    (caller,) = story.list(60, CALLER, bridge="")
    story.live.found_out(caller, at(40), at(61))
    assert (at(61), True) == (caller.parted_at, caller.unsure)
    # It was asked between the answer and the bridge.
    story.bridge(62)
    assert caller.talking


def test_an_answer_while_the_connection_was_lost_is_asked_for() -> None:
    story = Story()
    story.hear(0, "Newchannel", CALLER)
    story.live.missed()
    (caller,) = story.list(60, CALLER)
    story.live.found_out(caller, at(40), at(61))
    assert [(Change.STARTED, CALLER), (Change.ANSWERED, CALLER)] == story.changes
    story.live.missed()
    story.list(70, CALLER)
    story.live.found_out(caller, at(40.3), at(71))
    assert (at(40), 2) == (caller.answered_at, len(story.changes))


def test_an_end_that_is_told_after_a_list_that_lacked_the_channel_is_known_exactly() -> None:
    story = Story()
    story.talk()
    caller, called = (story.live.channels[each] for each in (CALLER, CALLED))
    story.list(20)
    assert [None, None] == [caller.ended_at, called.ended_at]
    story.hear(19, "Hangup", CALLED)
    story.hear(19.5, "Hangup", CALLER)
    assert [at(19), at(19.5)] == [called.ended_at, caller.ended_at]
    # That they ended is told once all the same.
    assert [CALLER, CALLED] == [who for change, who in story.changes if change is Change.ENDED]


def test_a_called_party_whose_end_is_told_after_the_list_has_parted_then() -> None:
    story = Story()
    story.talk()
    caller = story.live.channels[CALLER]
    story.list(20, CALLER, bridge="")
    assert caller.unsure
    story.hear(19, "Hangup", CALLED)
    assert (at(19), False) == (caller.parted_at, caller.unsure)
    story.hear(30, "Hangup", "pbx-9.9")  # a stranger
    story.list(40, CALLER, bridge="")
    story.hear(41, "Hangup", CALLED)  # told twice
    assert at(19) == caller.parted_at
