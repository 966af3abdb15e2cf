"""The last step of a fix: files are changed, after a person saw how, and only as they were when that was made."""

from pathlib import Path

from contracts.fixes import AppliedFixes, CheckedFixes
from echelon import Handoffs, Outcome, agent
from echelon.model.phrasing import count
from tasks.writing import NewContent, digest_of_bytes, write_files


def difference(recheck: Handoffs[CheckedFixes]) -> str:
    """Show what would be changed: one unified diff."""
    return "".join(one.patch for one in recheck.outputs())


@agent(effect="irreversible", preview=difference, timeout=120, attempts=1)
def apply_fixes(recheck: Handoffs[CheckedFixes], path: Path) -> Outcome[AppliedFixes]:
    """Change the files as the diff shows; nothing is changed when one of them is not as it was."""
    fixes = [one for made in recheck.outputs() for one in made.files]
    news = [NewContent(one.path, one.sha256, one.text.encode()) for one in fixes]
    write_files(path, news)
    return Outcome(
        output=AppliedFixes(files={one.name: digest_of_bytes(one.data) for one in news}),
        summary=f"{count(len(news), 'file')} changed",
    )
