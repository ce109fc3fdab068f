"""What people and sets say about executables: the allow and deny lists, attached reference sets, imports and scans."""

from radius_policy.lists.index import Hit, Lists, Reference

__all__ = ["Hit", "Lists", "Reference"]
