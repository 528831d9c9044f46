"""The servers that all tests of a team share."""

from collections.abc import Iterator

import pytest

from tests.team.servers import Team


@pytest.fixture(scope="session")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """PostgreSQL, S3 and MLflow, filled; each test leaves them running."""
    one = Team(tmp_path_factory.mktemp("team"))
    try:
        one.start("postgres", "s3")
        one.setup()
        one.setup()  # a second time changes nothing
        one.start("mlflow")
        yield one
    finally:
        one.close()
