"""What can go wrong before a local model answers.

ModelError
|- UnknownModelError        the catalogue has no such name
|- ModelFileError           a file of the caller's own is missing or is no model
|- ModelSpaceError          the disk is too full
|- ModelDownloadError       a package could not be fetched
|- ModelDigestError         the bytes are not the ones that were promised
|- ModelLoadError           llama.cpp refused the file
"""


class ModelError(Exception):
    """Any failure to have a local model ready; the text names the file and the remedy."""


class UnknownModelError(ModelError):
    """The catalogue has no model of that name."""


class ModelFileError(ModelError):
    """A model file named by the caller is missing."""


class ModelSpaceError(ModelError):
    """The disk has no room for the model."""


class ModelDownloadError(ModelError):
    """A package that carries a model could not be fetched."""


class ModelDigestError(ModelError):
    """A file does not have the sha256 that the catalogue promises."""


class ModelLoadError(ModelError):
    """llama.cpp could not load the model file."""
