"""What can go wrong, as a tree: every message names the thing, what is wrong with it and what to do.

EngineError
├── BadInput                what a person gave cannot be used (exit code 2)
│   ├── ConfigError         a configuration key or value
│   ├── RegionError         a region that is invalid, too large or outside every scene
│   ├── SceneError          a scene that cannot be read or understood
│   │   ├── MissingBand     a scene without a band that the backbone needs
│   │   ├── NotSeen         nothing in a catalogue shows the region on the days asked for; a ConfigError as well
│   │   └── RemoteError     imagery of a catalogue that cannot be had: no network, refused, or not allowed
│   │       └── AbsentRemote  a file that its server does not have
│   ├── BackboneError       a backbone that is unknown or asked for what it cannot do
│   │   └── WeightsError    weights that are absent, altered or of another model
│   ├── StoreError          an embedding store that is absent, incomplete or of another schema
│   │   └── OnlyGaps        embeddings of which none was found where they were looked at
│   ├── LabelError          labels that are absent or do not fit the store
│   └── JobError            a job that does not exist or cannot be started as asked
└── RunFailure              the input was good and the work still failed (exit code 1)
    ├── DiskFull            a write found no room
    └── DeviceFailure       the accelerator refused or ran out of memory
"""


class EngineError(Exception):
    """Root of all errors that carry a message for a person; `exit_code` is the command line's."""

    exit_code = 1


class BadInput(EngineError):
    """What a person gave cannot be used; nothing was changed."""

    exit_code = 2


class ConfigError(BadInput):
    """A configuration key or value that cannot be used."""


class RegionError(BadInput):
    """A region that is invalid, too large or outside every scene."""


class SceneError(BadInput):
    """A scene that cannot be read or understood."""


class MissingBand(SceneError):
    """A scene without a band that the backbone needs."""


class NotSeen(ConfigError, SceneError):
    """Nothing in a catalogue shows the region on the days asked for: other days, or more cloud, have to be allowed."""


class RemoteError(SceneError):
    """Imagery of a catalogue that cannot be had: no network, refused, or an address that is not allowed."""


class AbsentRemote(RemoteError):
    """A file that its server says it does not have."""


class BackboneError(BadInput):
    """A backbone that is unknown or asked for what it cannot do."""


class WeightsError(BackboneError):
    """Weights that are absent, altered or of another model."""


class StoreError(BadInput):
    """An embedding store that is absent, incomplete or of another schema."""


class OnlyGaps(StoreError):
    """Embeddings of which none was found where they were looked at."""


class LabelError(BadInput):
    """Labels that are absent or do not fit the store."""


class JobError(BadInput):
    """A job that does not exist or cannot be started as asked."""


class RunFailure(EngineError):
    """The input was good and the work still failed."""


class DiskFull(RunFailure):
    """A write found no room; what was written before it is complete."""


class DeviceFailure(RunFailure):
    """The accelerator refused or ran out of memory."""
