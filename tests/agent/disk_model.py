"""Where the disk model used to be; it is ``collector.world.disk`` now."""

from collector.world.disk import DiskModel

__all__ = ["DiskModel"]
