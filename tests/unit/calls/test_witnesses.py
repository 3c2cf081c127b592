"""Who is believed about the end of a call that nobody reported."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agi_server.asterisk.live_calls import LiveChannel
from agi_server.calls.witnesses import AsteriskRecord, Evidence, Witness, differ

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So long after the authorize."""
    return START + timedelta(seconds=seconds)


def channel(**about: Any) -> LiveChannel:
    fields = {
        "uniqueid": "pbx-1.1",
        "channel": "PJSIP/1001-1",
        "linkedid": "pbx-1.1",
        "accountcode": "",
        "seen_at": at(60),
        "whole": True,
        **about,
    }
    return LiveChannel(**fields)


def record(
    end: float,
    answer: float | None = None,
    disposition: str = "ANSWERED",
    dstchannel: str = "PJSIP/gw-2",
) -> AsteriskRecord:
    return AsteriskRecord(
        dstchannel=dstchannel,
        disposition=disposition,
        answered_at=None if answer is None else at(answer),
        ended_at=at(end),
    )


def believed(rule: Any = "last_seen", **about: Any) -> tuple[Witness, int | None, bool]:
    """Witness, talk in ms, and whether it is flagged for review."""
    evidence = Evidence(**{"authorized_at": START, "limit_ms": 600_000, "now": at(3600), **about})
    found, _ = evidence.best(rule)
    return found.witness, found.talk_ms, found.review is not None


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        # Supervision saw it all; whom it talked to went first.
        ({"answered_at": at(5), "parted_at": at(25), "ended_at": at(90)}, (Witness.AMI, 20_000)),
        ({"answered_at": at(5), "ended_at": at(25)}, (Witness.AMI, 20_000)),
        ({"dialled_at": at(1), "ended_at": at(25)}, (Witness.AMI, None)),
    ],
)
def test_ami_is_believed_where_it_saw_answer_and_end(
    about: dict[str, Any], expected: tuple[Witness, int | None]
) -> None:
    assert (*expected, False) == believed(channel=channel(**about), records=[record(80, 1)])


def test_a_channel_that_was_not_seen_from_its_beginning_may_have_been_answered() -> None:
    half = channel(whole=False, ended_at=at(25), seen_at=at(25))
    assert Witness.LAST_SEEN is believed(channel=half)[0]


def test_what_an_earlier_call_of_the_channel_left_behind_is_not_believed() -> None:
    earlier = channel(answered_at=at(-50), parted_at=at(-10), ended_at=at(20))
    assert (Witness.ORPHAN, 600_000, True) == believed(channel=earlier)


def test_asterisks_record_gives_the_end_and_the_answer_that_was_seen_the_beginning() -> None:
    assert (Witness.CDR, 30_000, False) == believed(
        seen_answered_at=at(10), records=[record(40, answer=-20)]
    )
    # What was seen of a channel whose connection was lost later.
    lost = channel(answered_at=at(10), seen_at=at(15))
    assert (Witness.CDR, 30_000, False) == believed(channel=lost, records=[record(40, answer=10)])


def test_a_record_alone_gives_both_unless_an_ivr_answered_first() -> None:
    assert (Witness.CDR, 30_000, False) == believed(records=[record(40, answer=10)])
    assert (Witness.CDR, 40_000, True) == believed(records=[record(40, answer=-20)])


def test_of_several_records_that_of_this_dial_counts() -> None:
    earlier = record(-5, answer=-60)
    failed = record(8, disposition="FAILED")
    talked = record(40, answer=10)
    handler = record(45, answer=40, dstchannel="")
    later = record(300, answer=200)
    records = [earlier, failed, talked, handler, later]
    assert (Witness.CDR, 30_000, False) == believed(records=records)
    assert (Witness.CDR, None, False) == believed(records=[earlier, failed, handler])
    assert Witness.ORPHAN is believed(records=[earlier])[0]


def test_a_talk_longer_than_the_time_since_authorize_is_nobodys() -> None:
    impossible = channel(answered_at=at(5), ended_at=at(4000))
    assert Witness.LAST_SEEN is believed(channel=impossible)[0]
    assert (Witness.CDR, 30_000, False) == believed(
        channel=impossible, seen_answered_at=at(5), records=[record(35, answer=5)]
    )


def test_an_end_nobody_saw_is_charged_by_the_rule() -> None:
    seen = {"seen_answered_at": at(10), "seen_at": at(70)}
    assert (Witness.LAST_SEEN, 60_000, True) == believed("last_seen", **seen)
    assert (Witness.ORPHAN, 600_000, True) == believed("hold", **seen)
    assert (Witness.ORPHAN, None, True) == believed("nothing", **seen)
    # Up, and never seen answered.
    assert (Witness.LAST_SEEN, None, True) == believed("last_seen", seen_at=at(70))
    # No sign of life at all: as without AMI.
    assert (Witness.ORPHAN, 600_000, True) == believed("last_seen")


def test_a_call_that_asterisk_lost_is_charged_to_when_it_was_last_heard_of() -> None:
    lost = channel(answered_at=at(10), seen_at=at(95))
    assert (Witness.LAST_SEEN, 85_000, True) == believed(channel=lost, seen_at=at(70))


def test_witnesses_differ_by_more_than_a_second_or_about_the_answer() -> None:
    assert [False, True, True, False] == [
        differ(5000, 6000),
        differ(5000, 6001),
        differ(None, 0),
        differ(None, None),
    ]


def test_the_other_witness_is_handed_on_to_be_compared() -> None:
    evidence = Evidence(
        authorized_at=START,
        limit_ms=600_000,
        now=at(3600),
        channel=channel(answered_at=at(5), ended_at=at(25)),
        records=[record(55, answer=5)],
    )
    found, others = evidence.best("hold")
    assert [(Witness.AMI, 20_000), (Witness.CDR, 50_000)] == [
        (each.witness, each.talk_ms) for each in (found, *others)
    ]
