import os
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from echelon.journal.files import LocalFiles, files_at
from echelon.journal.outputs import OutputStore
from echelon.model.base import Value
from echelon.model.errors import ContractViolation, InvalidInput, JournalError
from echelon.model.handoff import OutputReference

KEY = "ab" * 32


class Finding(Value):
    text: str
    at: datetime


class Draft(BaseModel):
    text: str


FINDING = Finding(text="two threads, one lock — ü", at=datetime(2026, 1, 1, tzinfo=UTC))


def in_files(url: str, **options: int) -> OutputStore:
    """Return a store that keeps every output in a file, however small it is."""
    return OutputStore(url, content_bytes=0, **options)


@pytest.fixture(params=["folder", "file url", "memory"])
def url(request, tmp_path):
    urls = {
        "folder": str(tmp_path / "outputs"),
        "file url": (tmp_path / "with space").as_uri(),
        "memory": f"memory://{uuid.uuid4()}/outputs",
    }
    return urls[request.param]


@pytest.fixture
def local(tmp_path):
    return in_files(str(tmp_path))


def file_of(tmp_path, reference):
    return tmp_path / reference.location


def test_an_output_comes_back_as_it_was(url):
    reference = in_files(url).put("r1", KEY, FINDING, "Finding")

    assert in_files(url).get(reference, Finding) == FINDING
    assert reference.contract == "Finding"


@pytest.mark.parametrize("value", [None, 0, "text", 1.5, True, [1, {"a": None}], {"deep": {"er": []}}])
def test_plain_json_comes_back_as_it_was(url, value):
    store = in_files(url)

    assert store.get(store.put("r1", KEY, value, "Any"), type(value)) == value


def test_collections_of_models_come_back_as_they_were(local):
    reference = local.put("r1", KEY, (FINDING, FINDING), "tuple[Finding, ...]")

    assert local.get(reference, tuple[Finding, ...]) == (FINDING, FINDING)


def test_runs_have_folders_of_their_own(url):
    store = in_files(url)
    references = [store.put(run_id, KEY, run_id, "str") for run_id in ("r1", "r2")]

    assert [reference.location.split("/")[0] for reference in references] == ["r1", "r2"]
    assert [store.get(reference, str) for reference in references] == ["r1", "r2"]


def test_a_late_attempt_does_not_replace_the_accepted_output(url):
    """The journal keeps the digest of the first; were it overwritten, the completed step would be damaged."""
    store = in_files(url)
    accepted = store.put("r1", KEY, "first", "str")
    store.put("r1", KEY, "late", "str")

    assert in_files(url).get(accepted, str) == "first"


def test_the_same_output_twice_is_one_file(local, tmp_path):
    assert local.put("r1", KEY, FINDING, "Finding") == local.put("r1", KEY, FINDING, "Finding")
    assert len(list(tmp_path.rglob("*"))) == 2  # the folder of the run and the file


@settings(deadline=None)  # machines are busy
@given(key=st.text(min_size=1, max_size=80))
def test_whatever_the_key_is_the_file_stays_in_the_folder_of_its_run(tmp_path_factory, key):
    root = tmp_path_factory.getbasetemp() / "any-key"
    reference = in_files(str(root)).put("r1", key, 1, "int")

    assert (root / reference.location).resolve().parent == (root / "r1").resolve()


@pytest.mark.parametrize("run_id", ["..", ".", "", "/etc", "a/b", "../r1", "a\\b", "r1\n"])
def test_a_run_id_that_is_no_folder_name_is_refused(local, run_id):
    with pytest.raises(InvalidInput, match="cannot name a folder"):
        local.put(run_id, KEY, 1, "int")


@pytest.mark.parametrize(
    "location",
    [
        "/etc/passwd",
        "../secret.json",
        "r1/../r2/ab-cd.json",
        "r1/../../ab-cd.json",
        "../r1/ab-cd.json",
        "./ab-cd.json",
        "ab-cd.json",
        "r1/sub/ab-cd.json",
        "r1\\ab-cd.json",
        "file:///etc/ab-cd.json",
        "r1/ab-cd.json\n",
        "",
    ],
)
def test_a_location_outside_of_the_outputs_is_refused(url, location):
    reference = OutputReference(location=location, sha256="0" * 64, size_bytes=1, contract="str")

    with pytest.raises(InvalidInput, match="no output of a run"):
        in_files(url).get(reference, str)


def test_a_link_that_leads_out_is_not_followed(local, tmp_path):
    reference = local.put("r1", KEY, "x", "str")
    outside = tmp_path / "outside.json"
    file_of(tmp_path, reference).rename(outside)
    file_of(tmp_path, reference).symlink_to(outside)

    with pytest.raises(JournalError, match="cannot read output"):
        local.get(reference, str)


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-1], lambda data: b"", lambda data: data + b" ", lambda data: data.replace(b"x", b"y")],
)
def test_a_damaged_output_is_found(local, tmp_path, damage):
    reference = local.put("r1", KEY, "xxx", "str")
    path = file_of(tmp_path, reference)
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(JournalError, match=rf"{reference.location}.*damaged.*resume the run"):
        local.get(reference, str)


def test_an_output_that_is_gone_is_named(url):
    reference = OutputReference(location="r1/ab-cd.json", sha256="0" * 64, size_bytes=1, contract="str")

    with pytest.raises(JournalError, match=r"cannot read output r1/ab-cd.json below .*restore the file"):
        in_files(url).get(reference, str)


def test_an_output_that_is_another_type_violates_the_contract(local):
    reference = local.put("r1", KEY, {"text": 1}, "dict")

    with pytest.raises(ContractViolation, match=r"was written as 'dict' and is not a .*Finding"):
        local.get(reference, Finding)


@pytest.mark.parametrize("value", [object(), {"a": object()}, b"\xff"])
def test_what_has_no_json_form_violates_the_contract(local, tmp_path, value):
    with pytest.raises(ContractViolation, match="cannot be written as JSON"):
        local.put("r1", KEY, value, "Any")

    assert list(tmp_path.iterdir()) == []


def test_outputs_that_cannot_be_written_say_where_and_what_to_do(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(JournalError, match=r"cannot write output r1/.*ECHELON_OUTPUTS_URL"):
        in_files(str(tmp_path / "file")).put("r1", KEY, 1, "int")


def test_a_write_that_fails_leaves_nothing_behind(tmp_path):
    (tmp_path / "r1" / "in-the-way").mkdir(parents=True)

    with pytest.raises(OSError, match="in-the-way"):
        LocalFiles(str(tmp_path)).write("r1/in-the-way", b"x")

    assert [path.name for path in (tmp_path / "r1").iterdir()] == ["in-the-way"]


def test_files_are_for_their_owner_only(local, tmp_path):
    reference = local.put("r1", KEY, 1, "int")

    assert file_of(tmp_path, reference).stat().st_mode & 0o077 == 0


def test_a_path_below_the_users_home_is_understood(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))

    assert files_at("~/outputs").root == str(tmp_path / "outputs")


def test_a_relative_path_stays_where_it_was(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    store = in_files("outputs")
    reference = store.put("r1", KEY, "x", "str")
    os.chdir("/")

    assert store.get(reference, str) == "x"
    assert Path(tmp_path / "outputs" / reference.location).exists()


# What is kept in memory


def test_what_is_frozen_is_decoded_once_and_shared(local):
    reference = local.put("r1", KEY, FINDING, "Finding")

    assert local.get(reference, Finding) is local.get(reference, Finding)


@pytest.mark.parametrize(("type_", "value"), [(dict, {"text": "a"}), (Draft, Draft(text="a")), (list, [1])])
def test_what_can_be_changed_is_never_shared(local, type_, value):
    """A reader that changes what it got must not change what others get."""
    reference = local.put("r1", KEY, value, "Draft")

    assert local.get(reference, type_) is not local.get(reference, type_)


def test_another_type_is_decoded_anew(local):
    reference = local.put("r1", KEY, FINDING, "Finding")
    local.get(reference, Finding)

    assert local.get(reference, dict) == FINDING.model_dump(mode="json")


def test_memory_is_bounded_and_what_was_used_last_stays(tmp_path):
    one_kilobyte = Finding(text="x" * 1000, at=FINDING.at)
    store = in_files(str(tmp_path), cache_bytes=2500)
    references = [store.put(f"r{number}", KEY, one_kilobyte, "Finding") for number in range(3)]
    first, second = store.get(references[0], Finding), store.get(references[1], Finding)

    assert store.get(references[0], Finding) is first
    store.get(references[2], Finding)
    assert store.get(references[0], Finding) is first
    assert store.get(references[1], Finding) is not second


def test_what_is_larger_than_the_memory_is_not_kept(tmp_path):
    store = in_files(str(tmp_path), cache_bytes=10)
    reference = store.put("r1", KEY, FINDING, "Finding")

    assert store.get(reference, Finding) is not store.get(reference, Finding)


def test_a_small_output_is_part_of_its_reference_and_needs_no_file(tmp_path):
    reference = OutputStore(str(tmp_path)).put("r1", KEY, FINDING, "Finding")

    assert OutputStore("memory://elsewhere").get(reference, Finding) == FINDING
    assert list(tmp_path.rglob("*")) == []


def test_an_output_is_in_the_journal_up_to_16_384_bytes_and_above_in_a_file(tmp_path):
    store = OutputStore(str(tmp_path))
    small, large = (store.put("r1", KEY, "x" * (length - 2), "str") for length in (16_384, 16_385))  # and two quotes

    assert (small.size_bytes, small.content is None) == (16_384, False)
    assert (large.size_bytes, large.content is None) == (16_385, True)
    assert file_of(tmp_path, large).stat().st_size == 16_385
    assert store.get(large, str) == "x" * 16_383


def test_a_file_is_flushed_once_it_is_asked_for_and_says_what_is_in_the_way(local, tmp_path):
    reference = local.put("r1", KEY, FINDING, "Finding")
    local.flush(reference)
    file_of(tmp_path, reference).unlink()

    with pytest.raises(JournalError, match="cannot write output"):
        local.flush(reference)


def test_it_is_said_why_an_output_cannot_be_read_any_more(local, tmp_path):
    reference = local.put("r1", KEY, FINDING, "Finding")
    assert local.why_lost(reference) == ""
    file_of(tmp_path, reference).write_bytes(b"")

    assert "is damaged (0 bytes found" in local.why_lost(reference)


def test_a_transcript_is_a_file_however_small_it_is_and_is_read_like_an_output(url):
    store = OutputStore(url)
    reference = store.put_transcript("r1", KEY, FINDING, "Transcript@1")

    assert reference.content is None
    assert reference.location.endswith(".transcript.json")
    assert store.get(reference, Finding) == FINDING


def test_a_transcript_that_is_gone_costs_the_run_nothing_and_says_so(tmp_path, local):
    reference = local.put_transcript("r1", KEY, FINDING, "Transcript@1")
    file_of(tmp_path, reference).unlink()

    with pytest.raises(JournalError, match=r"cannot read transcript r1/.*; restore the file; the run itself"):
        local.get(reference, Finding)


@pytest.mark.parametrize("location", ["r1/ab-cd.transcriptx.json", "r1/ab-cd.transcript", "../ab-cd.transcript.json"])
def test_no_other_name_is_one_of_a_transcript(local, location):
    reference = OutputReference(location=location, sha256="0" * 64, size_bytes=1, contract="Transcript@1")

    with pytest.raises(InvalidInput, match="is no output of a run"):
        local.get(reference, Finding)
