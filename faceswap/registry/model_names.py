"""How versions are named."""

from dataclasses import dataclass

PREFIX = "face-"


@dataclass(frozen=True)
class Version:
    """A registered version, by name and number."""

    name: str
    version: int

    @property
    def identity(self) -> str:
        """The identity, without the prefix of the model's name."""
        return self.name.removeprefix(PREFIX)

    @property
    def uri(self) -> str:
        """MLflow's URI."""
        return f"models:/{self.name}/{self.version}"

    def __str__(self) -> str:
        return f"{self.identity}/{self.version}"
