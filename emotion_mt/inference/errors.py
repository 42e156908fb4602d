"""What is raised for folders that are no good bundles."""


class BundleError(ValueError):
    """A folder that is not a bundle that can be trusted and used."""
