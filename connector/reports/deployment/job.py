"""What a scheduler has to know of the nightly job, and the files that tell it."""

from dataclasses import dataclass

NIGHTLY = "nightly"
PROFILES = "profiles"


@dataclass(frozen=True, slots=True)
class Job:
    """Where the nightly job runs, as whom and when; all paths are absolute.

    `secrets` are the settings that `secrets_folder` holds in files of their names; `scripts` is the folder
    that a wrapper will be in. `image` and `timezone` count only where a scheduler knows them. `fleet` runs
    the profiles of `folder`, each with a map and a state of its own; `profile` is one of them. `beside` are
    folders that it writes to beside its state, for `logging`: what comes before the command for that.
    """

    at: str
    program: tuple[str, ...] = ()
    folder: str = ""
    mappings: str = ""
    state: str = ""
    user: str = ""
    scripts: str = ""
    secrets_folder: str = ""
    secrets: tuple[str, ...] = ()
    image: str = ""
    timezone: str = ""
    fleet: bool = False
    profile: str = ""
    logging: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The command line."""
        if self.fleet:
            return (*self.program, "fleet", NIGHTLY)
        profile = ("--profile", self.profile) if self.profile else ()
        places = ("--mappings", self.mappings, "--state", self.state)
        return (*self.program, *profile, *places, *self.logging, NIGHTLY)

    @property
    def writes(self) -> str:
        """The folder that it writes to."""
        return f"{self.folder}/{PROFILES}" if self.fleet else self.state

    @property
    def hour(self) -> int:
        """The hour it starts."""
        return int(self.at[:2])

    @property
    def minute(self) -> int:
        """The minute it starts."""
        return int(self.at[3:])


@dataclass(frozen=True, slots=True)
class JobFile:
    """One file that a scheduler reads; `text` has plain line ends, and a byte order mark if need be."""

    name: str
    text: str
    encoding: str = "utf-8"
    newline: str = "\n"

    @property
    def shown(self) -> str:
        """The text for a terminal or a pipe."""
        return self.text.removeprefix("\ufeff")

    @property
    def data(self) -> bytes:
        """The file as it stands on a disk."""
        return self.text.replace("\n", self.newline).encode(self.encoding)
