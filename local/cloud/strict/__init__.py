"""Which refusals of AWS are imposed on ministack, which is kinder than AWS, so that tests cannot lie."""


def apply() -> None:
    """Impose every rule."""
