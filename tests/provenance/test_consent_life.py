import datetime as dt
from pathlib import Path

import pytest

from faceswap.errors import AuditError, ConsentError
from faceswap.provenance import audit
from faceswap.provenance.consent import event_files
from faceswap.provenance.consent.life import Event, Life, Purpose
from faceswap.provenance.consent.record import Consent

DAY = dt.date(2026, 6, 1)


def event(kind: str, hour: int, **more: object) -> Event:
    at = dt.datetime(2026, 1, 1, hour, tzinfo=dt.UTC)
    return Event(identity="ada", kind=kind, at=at, **more)  # type: ignore[arg-type]


def state(*events: Event, today: dt.date = DAY) -> str:
    return Life.of("ada", events).state(today)


def test_a_consent_holds_from_its_first_day_to_its_last() -> None:
    given = event("recorded", 1, since=dt.date(2026, 3, 1), until=DAY)
    days = [dt.date(2026, 2, 28), dt.date(2026, 3, 1), DAY, DAY + dt.timedelta(1)]
    assert [state(given, today=day) for day in days] == ["not yet", "valid", "valid", "expired"]
    longer = event("extended", 2, until=dt.date(2027, 1, 1))
    assert state(given, longer, today=days[-1]) == "valid"
    assert state() == "none"


def test_no_extension_that_was_written_beside_a_withdrawal_brings_the_consent_back() -> None:
    given, gone, longer = event("recorded", 1), event("withdrawn", 2), event("extended", 3)
    for order in ((given, gone, longer), (longer, gone, given), (gone, given, longer)):
        assert state(*order) == "withdrawn"
    unaware = event("recorded", 4)  # by somebody who did not know of the withdrawal
    assert state(given, gone, unaware) == "withdrawn"
    anew = event("recorded", 0, supersedes=(gone.id,))  # even where that machine's clock is late
    assert state(given, gone, anew) == "valid"
    assert state(given, gone, anew, event("withdrawn", 5)) == "withdrawn"


def test_what_is_allowed_is_asked_for_by_purpose() -> None:
    life = Life.of("ada", [event("recorded", 1, purposes=(Purpose.TRAINING,))])
    life.require(Purpose.TRAINING)
    with pytest.raises(ConsentError, match="allows training, not swapping"):
        life.require(Purpose.SWAPPING)


def test_a_face_sets_consent_of_before_counts_as_recorded_by_it() -> None:
    before = Event.of_before(Consent(subject="ada", statement="signed", since=dt.date(2025, 1, 2)))
    life = Life.of("ada", [before])
    assert (life.state(DAY), life.terms and life.terms.statement) == ("valid", "signed")


def test_events_lie_beside_the_face_sets_and_a_damaged_one_allows_nothing(home: Path) -> None:
    given = event("recorded", 1, statement="signed")
    event_files.write(given)
    event_files.write(given)
    assert event_files.read("ada") == [given]
    (file,) = (home / "face-sets" / "ada" / "consent").iterdir()
    damaged = file.with_name(file.name.replace(given.id, "1" * 32))
    damaged.write_text("{")
    with pytest.raises(ConsentError, match="damaged"):
        event_files.read("ada")
    with pytest.raises(ConsentError, match="no name"):
        event_files.read("../ada")


def test_the_log_shows_every_kind_of_tampering(tmp_path: Path) -> None:
    written = tmp_path / "a.png"
    written.write_bytes(b"pixels")
    for number in range(4):
        audit.record("swapped", ["ada"], {"number": number}, [written])
    count, head = audit.verify()
    assert count == 4
    assert [one.files[str(written)][:8] for one in audit.entries()] == [audit.sha256_of(written)[:8]] * 4
    log = audit.log_file()
    whole = log.read_text()
    lines = whole.splitlines(keepends=True)
    tampered = {
        "changed": [lines[0], lines[1].replace('"number":1}', '"number":7}'), *lines[2:]],
        "removed": [lines[0], *lines[2:]],
        "put in": [lines[0], lines[0], *lines[1:]],
        "cut off": lines[:3],
        "damaged": [*lines[:3], lines[3][:20]],
        "first removed": lines[1:],
    }
    for what, left in tampered.items():
        log.write_text("".join(left))
        with pytest.raises(AuditError):
            audit.verify()
            pytest.fail(what)
    log.write_text(whole)
    audit.record("promoted", ["ada"])
    assert audit.verify(known=head)[0] == 5
    with pytest.raises(AuditError, match="hash"):
        audit.verify(known="0" * 63 + "1")
