"""What Asterisk has in progress, kept true by its events and by lists of its channels.

No I/O. A channel is known by its uniqueid. Of a caller's channel it is known, too, whom it talks to
and since when. Times are Asterisk's own where its events carry them (timestampevents=yes in
manager.conf), else the moment they were heard.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

Headers = dict[str, str]
# Two tellings of one answer, by the event and by the dialplan, are no further apart.
_SAME_ANSWER = timedelta(seconds=2)


class Change(Enum):
    """What became of a channel."""

    STARTED = auto()
    ANSWERED = auto()  # somebody it dialled answered
    PARTED = auto()  # whom it talked to has hung up; the channel may live on
    ENDED = auto()


@dataclass(slots=True, kw_only=True)
class LiveChannel:
    """One channel. `seen_at` is the last instant at which it was known to be up.

    `answered_at`, `parted_at`, `peer` (its uniqueid) and `peer_channel` (its name) are of the last
    party it dialled and that answered; `dialled_at` is when that was rung. `ended_at` is None, too,
    when it ended unseen. `whole`: no answer before now was missed. `unsure`: nobody saw exactly
    when they parted.
    """

    uniqueid: str
    channel: str
    linkedid: str
    accountcode: str
    seen_at: datetime
    whole: bool = False
    bridge: str = ""
    dialled_at: datetime | None = None
    answered_at: datetime | None = None
    peer: str | None = None
    peer_channel: str = ""
    parted_at: datetime | None = None
    unsure: bool = False
    ended_at: datetime | None = None

    @property
    def talking(self) -> bool:
        """Whether somebody it dialled has answered and is still there."""
        return self.answered_at is not None and self.parted_at is None and self.ended_at is None


OnChange = Callable[[Change, LiveChannel], None]


class LiveCalls:
    """The channels of one Asterisk; `on_change` is told of each change, once."""

    def __init__(self, on_change: OnChange) -> None:
        self.channels: dict[str, LiveChannel] = {}
        self._on_change = on_change
        self._callers: dict[str, str] = {}  # uniqueid of who answered → of who called
        # What came and went while a list is on its way: the list may tell otherwise.
        self._moved: set[str] | None = None
        # What the last list lacked, each with the caller who talked to it: when it ended may still
        # be told, since an event may come later than a list.
        self._missed: dict[str, tuple[LiveChannel, LiveChannel | None]] = {}

    def hear(self, event: Headers, now: datetime) -> None:
        """Take in one event; those that tell nothing about a call are ignored."""
        at = _timestamp(event, now)
        uniqueid = event.get("Uniqueid", "")
        if not uniqueid:
            return
        match event.get("Event"):
            case "Newchannel":
                self._start(uniqueid, event, at).whole = True
            case "DialBegin":
                self._dial(uniqueid, event, at)
            case "DialEnd" if event.get("DialStatus") == "ANSWER":
                self._answer(uniqueid, event, at)
            case "BridgeEnter":
                self._bridge(uniqueid, event.get("BridgeUniqueid", ""))
            case "Rename":
                if (known := self.channels.get(uniqueid)) and (name := event.get("Newname")):
                    known.channel = name
            case "Hangup":
                self._end(uniqueid, at)

    def missed(self) -> None:
        """A connection was made: what happened before it was not heard."""
        for each in self.channels.values():
            each.whole = False

    def begin_list(self) -> None:
        """A list of all channels is asked for now."""
        self._moved = set()

    def take_list(self, listed: Iterable[Headers], asked_at: datetime) -> list[LiveChannel]:
        """Compare with the channels that Asterisk has; what it lacks has ended unseen.

        Returns those of which nobody knows whether somebody has answered them.
        """
        by_uniqueid = {each["Uniqueid"]: each for each in listed if each.get("Uniqueid")}
        moved, self._moved = self._moved or set(), None
        self._missed.clear()
        for uniqueid, each in by_uniqueid.items():
            if uniqueid in moved:
                continue
            known = self.channels.get(uniqueid)
            if known is None:
                known = self._start(uniqueid, each, asked_at)
            known.seen_at = max(known.seen_at, asked_at)
            known.bridge = each.get("BridgeId", "")
        for uniqueid in [*self.channels]:
            if uniqueid not in by_uniqueid and uniqueid not in moved:
                self._end(uniqueid, None)
        return [each for each in self.channels.values() if not each.whole]

    def found_out(self, channel: LiveChannel, answered_at: datetime | None, now: datetime) -> None:
        """When somebody answered it was asked now; None when nobody has.

        Whom it talks to is whoever is in the same bridge; when nobody is, they have parted, some
        time before now.
        """
        channel.whole = True
        if channel.ended_at is not None:
            return
        known = channel.answered_at
        news = answered_at is not None and (known is None or answered_at > known + _SAME_ANSWER)
        if news:
            channel.answered_at = answered_at
            channel.dialled_at = channel.dialled_at or answered_at
            channel.parted_at, channel.unsure = None, False
            self._find_peer(channel)
        if channel.talking and not channel.bridge:
            channel.parted_at, channel.unsure = now, True
        if news:
            self._on_change(Change.ANSWERED, channel)

    def _find_peer(self, channel: LiveChannel) -> None:
        self._forget_peer(channel)
        channel.peer, channel.peer_channel = None, ""
        for other in self.channels.values():
            if other is not channel and channel.bridge and other.bridge == channel.bridge:
                channel.peer, channel.peer_channel = other.uniqueid, other.channel
                self._callers[other.uniqueid] = channel.uniqueid

    def alive(self, now: datetime) -> None:
        """Asterisk gave a sign of life, and told no end of these."""
        for each in self.channels.values():
            each.seen_at = now

    def _start(self, uniqueid: str, about: Headers, at: datetime) -> LiveChannel:
        if self._moved is not None:
            self._moved.add(uniqueid)
        known = self.channels.get(uniqueid)
        if known is None:
            known = LiveChannel(
                uniqueid=uniqueid,
                channel=about.get("Channel", ""),
                linkedid=about.get("Linkedid", uniqueid),
                accountcode=about.get("AccountCode", ""),
                seen_at=at,
            )
            self.channels[uniqueid] = known
            self._on_change(Change.STARTED, known)
        return known

    def _dial(self, uniqueid: str, event: Headers, at: datetime) -> None:
        known = self._start(uniqueid, event, at)
        if known.talking:
            return  # whom it talks to is not lost by dialling somebody else
        self._forget_peer(known)
        known.dialled_at, known.answered_at = at, None
        known.parted_at, known.unsure = None, False

    def _answer(self, uniqueid: str, event: Headers, at: datetime) -> None:
        known = self._start(uniqueid, event, at)
        self._forget_peer(known)
        known.peer = event.get("DestUniqueid")
        known.peer_channel = event.get("DestChannel", "")
        if known.peer:
            self._callers[known.peer] = uniqueid
        known.answered_at, known.parted_at, known.unsure = at, None, False
        known.dialled_at = known.dialled_at or at
        self._on_change(Change.ANSWERED, known)

    def _bridge(self, uniqueid: str, bridge: str) -> None:
        if known := self.channels.get(uniqueid):
            known.bridge = bridge
            if known.peer is None:
                known.parted_at, known.unsure = (
                    None,
                    False,
                )  # it was asked between the answer and the bridge

    def _end(self, uniqueid: str, at: datetime | None) -> None:
        if self._moved is not None:
            self._moved.add(uniqueid)
        ended = self.channels.pop(uniqueid, None)
        if ended is None:
            self._end_late(uniqueid, at)
            return
        caller = self.channels.get(self._callers.pop(uniqueid, ""))
        parted = caller is not None and caller.peer == uniqueid and caller.parted_at is None
        if caller is not None and parted:
            caller.parted_at, caller.unsure = at or ended.seen_at, at is None
            self._on_change(Change.PARTED, caller)
        if at is None:
            self._missed[uniqueid] = ended, caller if parted else None
        self._forget_peer(ended)
        ended.ended_at = at
        if at is not None:
            ended.seen_at = max(ended.seen_at, at)
        self._on_change(Change.ENDED, ended)

    def _end_late(self, uniqueid: str, at: datetime | None) -> None:
        """A channel that a list lacked already; whoever was told of its end has this one, too."""
        ended, caller = self._missed.pop(uniqueid, (None, None))
        if ended is None or at is None:
            return
        ended.ended_at, ended.seen_at = at, max(ended.seen_at, at)
        if caller is not None and caller.unsure:
            caller.parted_at, caller.unsure = at, False

    def _forget_peer(self, channel: LiveChannel) -> None:
        if channel.peer is not None:
            self._callers.pop(channel.peer, None)


def _timestamp(event: Headers, now: datetime) -> datetime:
    """The instant of an event by Asterisk's clock, if it told a believable one."""
    try:
        at = datetime.fromtimestamp(float(event.get("Timestamp", "")), UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return at if abs((at - now).total_seconds()) < 86_400 else now
